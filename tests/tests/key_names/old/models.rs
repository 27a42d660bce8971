//! Before: keys by their first names.

use zdm_runtime::Migratable;

/// An account.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(index(columns(name, id), name = "idx_accounts_name"))]
#[zdm(check(name = "accounts_check", expr = "id > 0"))]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(references = "accounts(id)", on_delete = "set null")]
    pub opened_by: Option<i64>,
}

/// What was booked on an account.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Entry {
    #[zdm(primary_key, auto = "always")]
    pub id: i64,
    #[zdm(references = "accounts(id)")]
    pub account_id: i64,
    pub amount: i32,
}

/// Which accounts somebody looks after: a key of two, one of which refers to the other table.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(primary_key(account_id, clerk))]
pub struct Duty {
    #[zdm(references = "accounts(id)", on_delete = "cascade")]
    pub account_id: i64,
    pub clerk: i32,
    #[zdm(generated = "account_id + clerk")]
    pub both: Option<i64>,
}

/// Rows that a unique constraint tells apart.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(no_primary_key, row_key(label, account_id))]
#[zdm(unique(columns(label, account_id), name = "tags_label"))]
pub struct Tag {
    pub label: String,
    #[zdm(references = "accounts(id)", on_delete = "cascade")]
    pub account_id: i64,
    pub note: Option<String>,
}
