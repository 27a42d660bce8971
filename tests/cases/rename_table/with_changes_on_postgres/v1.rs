use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(check(name = "users_age_check", expr = "age > 0"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub email: String,
    pub name: String,
    pub age: i32,
    #[zdm(references = "users(id)")]
    pub parent_id: Option<i64>,
}

#[derive(Migratable)]
pub struct Visit {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "users(id)")]
    pub user_id: i64,
}
