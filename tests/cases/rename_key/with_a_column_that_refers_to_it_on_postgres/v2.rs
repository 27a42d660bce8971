use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto, renamed_from = "id")]
    pub account_id: i64,
    pub name: String,
}

#[derive(Migratable)]
pub struct Invoice {
    #[zdm(primary_key)]
    pub number: String,
    #[zdm(renamed_from = "user_id", references = "users(account_id)", index = "idx_invoices_user")]
    pub account_id: i64,
}
