//! The table under another name.

use zdm_runtime::Migratable;

/// A client.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(renamed_from = "customers")]
#[zdm(check(name = "customers_amount_check", expr = "amount >= 0"))]
pub struct Client {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(index)]
    pub age: Option<i32>,
    #[zdm(default = "0")]
    pub amount: i64,
}
