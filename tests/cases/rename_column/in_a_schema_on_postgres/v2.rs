use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "invoices")]
pub struct BillingInvoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
    #[zdm(renamed_from = "note")]
    pub remark: Option<String>,
}

#[derive(Migratable)]
pub struct Invoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
}
