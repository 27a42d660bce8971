use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    index(columns(name), name = "users_new_name"),
    unique(columns(boss, name), name = "users_new_once"),
    check(name = "users_new_boss", expr = "boss > 0"),
    foreign_key(columns(boss), references = "users(id)", name = "users_new_fk")
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub boss: i64,
}
