use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub age: String,
    #[zdm(
        up(postgres = "CAST(age AS integer)", sqlite = "CAST(age AS INTEGER)"),
        valid_if(postgres = "age ~ '^[0-9]{1,3}$'", sqlite = "age <> '' AND age NOT GLOB '*[^0-9]*'"),
        on_invalid = default("0")
    )]
    pub years: i32,
}
