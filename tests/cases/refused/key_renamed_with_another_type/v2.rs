use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, renamed_from = "id")]
    pub user_id: String,
    pub name: String,
}
