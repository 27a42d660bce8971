use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "events", no_primary_key, row_key(name))]
pub struct Event {
    pub id: i64,
    #[zdm(unique)]
    pub name: String,
}
