//! The tables, as structs. A field that changes here is a migration: `cargo zdm generate`.

use chrono::{DateTime, Utc};
use serde::Serialize;
use zdm_runtime::Migratable;

/// Somebody who can sign in.
#[derive(Migratable, Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Assigned by the database.
    #[zdm(primary_key, auto)]
    pub id: i64,
    /// First and last name, as the person writes it.
    pub full_name: String,
    /// Where sign-in links go.
    #[zdm(unique)]
    pub email: String,
    /// Somebody has followed a link that was sent to `email`.
    #[zdm(index = "idx_accounts_email_verified")]
    pub email_verified: bool,
    /// In years, where the person told us.
    #[zdm(
        column = "age_years",
        from("age"),
        up = "CAST(age AS INTEGER)",
        down = "CAST(age_years AS TEXT)",
        valid_if = "age ~ '^[0-9]{1,3}$'",
        on_invalid = "quarantine",
        up_loses("leading zeros"),
        down_loses("negative numbers", "large numbers", "huge numbers")
    )]
    pub age: Option<i32>,
    /// When the account was opened.
    #[zdm(default = "now()")]
    pub created_at: DateTime<Utc>,
}

/// Who did what to whom: written in the transaction that did it.
#[derive(Migratable, Debug, Clone, PartialEq, Eq, Serialize)]
#[zdm(table = "audit_log")]
pub struct AuditEntry {
    /// Assigned by the database.
    #[zdm(primary_key, auto)]
    pub id: i64,
    /// `account.created`, `accounts.searched` …
    pub action: String,
    /// The account, where the action concerns one. It outlives the account, so it is no foreign key.
    pub account_id: Option<i64>,
    /// What was asked for.
    pub detail: String,
    /// When.
    #[zdm(default = "now()")]
    pub at: DateTime<Utc>,
}
