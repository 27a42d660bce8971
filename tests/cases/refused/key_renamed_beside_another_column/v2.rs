use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, renamed_from = "id")]
    pub user_id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
}
