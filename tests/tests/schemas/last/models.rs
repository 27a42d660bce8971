//! The total becomes a number under its name, the amount gets another name, and a status another value.

use zdm_runtime::{Migratable, MigratableEnum};

/// How an invoice stands.
#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
#[zdm(schema = "billing")]
pub enum Status {
    Open,
    Settled,
}

/// What the shop sends.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Invoice {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(index)]
    pub total: String,
}

/// What is to be paid.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(schema = "billing", table = "invoices")]
#[zdm(check(name = "invoices_amount_check", expr = "cents >= 0"))]
pub struct BillingInvoice {
    #[zdm(primary_key, references = "invoices(id)")]
    pub id: i64,
    #[zdm(index)]
    pub total: Option<i32>,
    #[zdm(default = "0")]
    pub cents: i32,
    pub status: Status,
}
