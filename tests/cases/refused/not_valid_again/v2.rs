use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    check(name = "users_boss", expr = "boss > 0", not_valid)
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub boss: Option<i64>,
}
