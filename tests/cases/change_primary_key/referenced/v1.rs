use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "accounts")]
pub struct Account {
    #[zdm(primary_key)]
    pub id: i64,
    pub email: String,
    #[zdm(references = "accounts(id)")]
    pub invited_by: Option<i64>,
}

#[derive(Migratable)]
#[zdm(table = "orders")]
pub struct Order {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "accounts(id)", on_delete = "cascade")]
    pub account_id: i64,
}
