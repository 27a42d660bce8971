use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "full_name")]
    pub first: String,
    #[zdm(from("full_name"))]
    pub last: String,
}
