use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "accounts")]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub email: String,
}

#[derive(Migratable)]
#[zdm(
    table = "orders",
    schema = "billing",
    foreign_key(columns(account_id), references = "accounts(id)", on_delete = "cascade", initially_deferred)
)]
pub struct Order {
    #[zdm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub seller_id: i64,
}

#[derive(Migratable)]
#[zdm(table = "notes")]
pub struct Note {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "accounts(id)", on_delete = "set null")]
    pub account_id: Option<i64>,
}
