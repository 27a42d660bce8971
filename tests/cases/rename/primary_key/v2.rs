use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", primary_key(id, name = "users_key"))]
pub struct User {
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
