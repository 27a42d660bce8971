//! Keys get other names, and what refers to them stays.

use zdm_runtime::Migratable;

/// An account.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(index(columns(name, account_id), name = "idx_accounts_name"))]
#[zdm(check(name = "accounts_check", expr = "account_id > 0"))]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub account_id: i64,
    pub name: String,
    #[zdm(references = "accounts(account_id)", on_delete = "set null")]
    pub opened_by: Option<i64>,
}

/// What was booked on an account.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Entry {
    #[zdm(primary_key, auto = "always")]
    pub entry: i64,
    #[zdm(references = "accounts(account_id)")]
    pub account_id: i64,
    pub amount: i32,
}

/// Which accounts somebody looks after: a key of two, one of which refers to the other table.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(primary_key(holder_id, clerk_id))]
pub struct Duty {
    #[zdm(references = "accounts(account_id)", on_delete = "cascade")]
    pub holder_id: i64,
    pub clerk_id: i32,
    #[zdm(generated = "holder_id + clerk_id")]
    pub both: Option<i64>,
}

/// Rows that a unique constraint tells apart.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(no_primary_key, row_key(word, account_id))]
#[zdm(unique(columns(word, account_id), name = "tags_label"))]
pub struct Tag {
    pub word: String,
    #[zdm(references = "accounts(account_id)", on_delete = "cascade")]
    pub account_id: i64,
    pub note: Option<String>,
}
