use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    check(name = "users_name", expr = "name <> ''"),
    index(columns(name), name = "users_by_name"),
    unique(columns(name), name = "users_once")
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
}
