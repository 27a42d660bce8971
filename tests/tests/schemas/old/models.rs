//! Two tables of the same name, one of them in a schema that it names.

use zdm_runtime::{Migratable, MigratableEnum};

/// How an invoice stands.
#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
#[zdm(schema = "billing")]
pub enum Status {
    Open,
    Paid,
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
#[zdm(check(name = "invoices_amount_check", expr = "amount >= 0"))]
pub struct BillingInvoice {
    #[zdm(primary_key, references = "invoices(id)")]
    pub id: i64,
    #[zdm(index)]
    pub total: String,
    #[zdm(default = "0")]
    pub amount: i32,
    pub status: Status,
}
