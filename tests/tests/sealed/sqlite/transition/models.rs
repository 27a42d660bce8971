use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(
        from("email"),
        with = "crate::email::key",
        one_way,
        on_invalid = "quarantine",
        index = "idx_users_email_key"
    )]
    pub email_key: String,
}
