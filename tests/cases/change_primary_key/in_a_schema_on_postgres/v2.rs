use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "owners", primary_key(crate_id, owner_id))]
pub struct Owner {
    pub crate_id: i64,
    pub owner_id: i64,
    pub note: Option<String>,
}
