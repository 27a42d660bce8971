use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    check(name = "users_boss", expr = "boss > 0"),
    foreign_key(columns(boss), references = "users(id)", on_delete = "cascade", name = "users_fk")
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub boss: Option<i64>,
}
