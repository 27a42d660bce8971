use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
pub struct Invoice {
    #[zdm(primary_key)]
    pub number: String,
    #[zdm(references = "users(id)", index = "idx_invoices_user")]
    pub user_id: i64,
}
