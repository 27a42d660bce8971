use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
}
