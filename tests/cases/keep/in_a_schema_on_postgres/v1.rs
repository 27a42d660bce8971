use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "invoices")]
pub struct Invoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(default = "'open'")]
    pub state: String,
    #[zdm(default = "gen_random_uuid()::text")]
    pub token: String,
    pub user: Option<i32>,
}
