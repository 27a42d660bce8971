use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "users(id)", on_update = "cascade")]
    pub boss: Option<i64>,
}
