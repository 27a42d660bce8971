use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", unique(columns(email), name = "users_email_once"), unique(columns(name, age)))]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
