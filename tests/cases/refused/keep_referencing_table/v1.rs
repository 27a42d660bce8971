use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(table = "notes")]
pub struct Note {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "users(id)")]
    pub user_id: i64,
}
