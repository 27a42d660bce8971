use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    index(columns(name), name = "users_by_name"),
    unique(columns(boss), name = "users_once")
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub boss: Option<i64>,
}
