use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    exclude(name = "users_names", elements("name WITH ="), deferrable)
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub boss: Option<i64>,
}
