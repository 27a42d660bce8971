use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(primary_key(id, name = "users_key"))]
pub struct User {
    #[zdm(auto = "serial", comment = "never given twice")]
    pub id: i16,
    pub name: String,
}
