use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    index(columns(name), name = "users_new_name")
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub boss: i64,
}
