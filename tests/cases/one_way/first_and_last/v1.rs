use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "contacts")]
pub struct Contact {
    #[zdm(primary_key)]
    pub id: i64,
    pub first_name: String,
    pub last_name: Option<String>,
    pub city: String,
}
