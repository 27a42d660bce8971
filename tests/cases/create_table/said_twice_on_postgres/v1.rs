use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
}
