use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "owners")]
pub struct Owner {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub crate_id: i64,
    pub owner_id: i64,
    pub note: Option<String>,
}
