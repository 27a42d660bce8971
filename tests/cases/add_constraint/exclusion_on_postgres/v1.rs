use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    exclude(name = "users_names", elements("lower(name) WITH ="))
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
