use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "accounts")]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(
        column = "email_key",
        from("email"),
        with = "crate::keys::email_key",
        one_way
    )]
    pub email: String,
    pub note: Option<String>,
}
