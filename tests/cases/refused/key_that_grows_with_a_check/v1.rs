use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(check(name = "users_id_check", expr = "id > 0"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i32,
    pub name: String,
}
