use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(schema = "billing", table = "accounts")]
pub struct BillingAccount {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub email: String,
}

#[derive(MigratableEnum)]
#[zdm(schema = "billing", name = "Status")]
pub enum Status {
    Open,
    Paid,
}

#[derive(Migratable)]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "billing.accounts(id)")]
    pub billed_by: i64,
    #[zdm(unique)]
    pub email: String,
}

#[derive(Migratable)]
#[zdm(
    schema = "Sales",
    table = "order",
    comment = "what is sold",
    index(columns(status), where = "status = 'open'::billing.\"Status\""),
    check(name = "order_total_check", expr = "total >= 0")
)]
pub struct Order {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "billing.accounts(id)", on_delete = "cascade")]
    pub account_id: i64,
    #[zdm(index)]
    pub seller_id: Option<i64>,
    #[zdm(default = "'open'")]
    pub status: Status,
    pub tags: Vec<Status>,
    pub total: i32,
}
