use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "users", comment = "people")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(comment = "as they call themselves")]
    pub name: String,
    pub nick: Option<String>,
    #[zdm(comment = "gone")]
    pub mail: String,
}
