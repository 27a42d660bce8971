use zdm_runtime::{Migratable, MigratableEnum};

#[derive(MigratableEnum)]
#[zdm(schema = "billing")]
pub enum Status {
    Open,
    #[zdm(from("gone"))]
    Paid,
}

#[derive(Migratable)]
#[zdm(schema = "billing", table = "invoices")]
pub struct BillingInvoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
    pub status: Status,
}

#[derive(Migratable)]
pub struct Invoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
}
