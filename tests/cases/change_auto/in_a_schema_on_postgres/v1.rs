use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto = "serial")]
    pub id: i32,
    pub name: String,
}
