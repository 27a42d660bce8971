//! Before: an age that is a text, an amount that may become too small.

use zdm_runtime::Migratable;

/// A customer.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(check(name = "customers_amount_check", expr = "amount >= 0"))]
pub struct Customer {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(index)]
    pub age: String,
    #[zdm(default = "0")]
    pub amount: i32,
}
