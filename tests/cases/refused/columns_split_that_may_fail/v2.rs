use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(from("full_name"), up = "lower(full_name)", down = "first || last")]
    pub first: String,
    #[zdm(from("full_name"), up = "CAST(full_name AS integer)")]
    pub last: i32,
}
