use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "invoices", index(columns(total)))]
pub struct BillingInvoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
}

#[derive(Migratable)]
pub struct Invoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
}
