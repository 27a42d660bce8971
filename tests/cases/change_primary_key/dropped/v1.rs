use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "events")]
pub struct Event {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(unique)]
    pub name: String,
}
