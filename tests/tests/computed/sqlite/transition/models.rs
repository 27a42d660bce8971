use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub phone: String,
    #[zdm(
        from("phone"),
        with = "crate::phone::key",
        on_invalid = "quarantine",
        index = "idx_users_phone_key"
    )]
    pub phone_key: String,
}
