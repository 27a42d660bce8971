use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "accounts")]
pub struct BillingAccount {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub email: String,
}
