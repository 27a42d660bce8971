use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Event {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub body: serde_json::Value,
}
