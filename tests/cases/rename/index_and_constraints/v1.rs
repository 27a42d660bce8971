use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    index(columns(name), name = "users_old_name"),
    unique(columns(boss, name), name = "users_old_once"),
    check(name = "users_old_boss", expr = "boss > 0"),
    foreign_key(columns(boss), references = "users(id)", name = "users_old_fk")
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub boss: i64,
}
