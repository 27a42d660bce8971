//! The keys grow, and what refers to them.

use zdm_runtime::Migratable;

/// An account.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(index(columns(name, id), name = "idx_accounts_name"))]
pub struct Account {
    #[zdm(primary_key, auto, from("id"), final_name = "id")]
    pub id: i64,
    pub name: String,
    #[zdm(references = "accounts(id)")]
    pub opened_by: Option<i32>,
}

/// What was booked on an account.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Entry {
    #[zdm(primary_key, auto = "serial")]
    pub id: i64,
    #[zdm(
        references = "accounts(id)",
        on_delete = "cascade",
        from("account_id"),
        final_name = "account_id"
    )]
    pub account_id: i64,
    pub amount: i32,
}

/// Which accounts somebody looks after: a key of two, one of which refers to the other table.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(primary_key(account_id, clerk))]
pub struct Duty {
    #[zdm(
        references = "accounts(id)",
        on_delete = "cascade",
        from("account_id"),
        final_name = "account_id"
    )]
    pub account_id: i64,
    pub clerk: i32,
}
