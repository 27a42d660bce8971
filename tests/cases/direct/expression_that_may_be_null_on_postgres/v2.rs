use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub email: String,
    #[zdm(generated = "lower(btrim(email))", comment = "Where post goes")]
    pub address: Option<String>,
}
