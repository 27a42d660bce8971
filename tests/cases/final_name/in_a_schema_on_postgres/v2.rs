use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "invoices", index(columns(total)))]
pub struct BillingInvoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(
        column = "total_int",
        from("total"),
        up = "total::integer",
        down = "coalesce(total_int, 0)::text",
        on_invalid = "quarantine",
        final_name = "total"
    )]
    pub total: Option<i32>,
}

#[derive(Migratable)]
pub struct Invoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub total: String,
}
