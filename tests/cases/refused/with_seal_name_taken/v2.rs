use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "accounts")]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(from("email"), with = "crate::keys::email_key", one_way)]
    pub email_key: String,
    pub zdm_seal_email_key: Option<String>,
}
