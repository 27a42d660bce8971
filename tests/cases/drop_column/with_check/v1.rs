use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", check(name = "users_age", expr = "age > 0"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub age: Option<i32>,
}
