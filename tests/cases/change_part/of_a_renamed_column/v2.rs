use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    check(name = "users_name", expr = "full_name <> ''"),
    index(columns(full_name), name = "users_by_name"),
    unique(columns(full_name), name = "users_once")
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
}
