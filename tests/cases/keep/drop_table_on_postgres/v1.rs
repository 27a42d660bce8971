use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(schema = "billing", table = "notes")]
pub struct Note {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(index)]
    pub text: String,
}
