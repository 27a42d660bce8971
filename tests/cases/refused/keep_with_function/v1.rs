use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "accounts")]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub email: String,
    pub note: Option<String>,
}
