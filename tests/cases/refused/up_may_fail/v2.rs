use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(column = "age_int", from("age"), up = "to_date(age, 'YYYY-MM-DD')", down = "CAST(age_int AS TEXT)")]
    pub age: i32,
}
