//! Before.

use zdm_runtime::Migratable;

/// A customer.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Customer {
    #[zdm(primary_key)]
    pub id: i64,
    pub age: String,
    pub name: String,
    pub whole: String,
    #[zdm(default = "0")]
    pub amount: i32,
}

/// What nobody else writes.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Visit {
    #[zdm(primary_key)]
    pub id: i64,
    pub place: String,
}
