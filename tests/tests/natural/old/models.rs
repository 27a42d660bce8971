//! Before: numbers are the keys.

use zdm_runtime::Migratable;

/// An account.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub email: String,
    pub name: String,
    #[zdm(references = "accounts(id)", on_delete = "set null")]
    pub invited_by: Option<i64>,
}

/// What was booked on an account.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Entry {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "accounts(id)", on_delete = "cascade")]
    pub account_id: i64,
    pub amount: i32,
}

/// What an account may do: a key of two.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(
    primary_key(account_id, role),
    foreign_key(
        columns(account_id),
        references = "accounts(id)",
        on_delete = "cascade",
        initially_deferred
    )
)]
pub struct Permission {
    #[zdm(unique, auto)]
    pub id: i64,
    pub account_id: i64,
    pub role: i32,
}

/// When it did: it refers to the key of two.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(
    primary_key(account_id, role, day),
    foreign_key(
        columns(role, account_id),
        references = "permissions(role, account_id)",
        on_delete = "cascade"
    )
)]
pub struct Use {
    pub account_id: i64,
    pub role: i32,
    pub day: i32,
}
