use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", unique(columns(full_name), name = "users_full_name_once"))]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
    pub email: Option<String>,
    pub age: i32,
}
