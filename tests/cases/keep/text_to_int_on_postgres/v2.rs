use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(column = "age_int", from("age"),
          up = "CAST(age AS INTEGER)", down = "coalesce(CAST(age_int AS TEXT), '')",
          valid_if(postgres = "age ~ '^[0-9]{1,9}$'", sqlite = "age <> '' AND age NOT GLOB '*[^0-9]*'"),
          on_invalid = "quarantine")]
    pub age: Option<i32>,
}
