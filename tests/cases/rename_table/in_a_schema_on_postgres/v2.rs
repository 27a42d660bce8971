use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "bills", renamed_from = "invoices", index(columns(total), name = "by_total"))]
pub struct Bill {
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
