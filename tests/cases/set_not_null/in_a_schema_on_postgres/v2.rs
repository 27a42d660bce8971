use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "invoices")]
pub struct BillingInvoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
    #[zdm(default = "0")]
    pub visits: i64,
}

#[derive(Migratable)]
pub struct Invoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
}
