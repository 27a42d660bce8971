use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Entry {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub list: i64,
    pub word: String,
}
