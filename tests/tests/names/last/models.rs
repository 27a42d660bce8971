//! Both take their old columns' names in the end.

use zdm_runtime::Migratable;

/// A customer.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(check(name = "customers_amount_check", expr = "amount >= 0"))]
pub struct Customer {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(index)]
    pub age: Option<i32>,
    #[zdm(default = "0")]
    pub amount: i64,
}
