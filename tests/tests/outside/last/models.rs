//! A conversion, a rename, a split, and a column that takes over a name.

use zdm_runtime::Migratable;

/// A customer.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Customer {
    #[zdm(primary_key)]
    pub id: i64,
    pub years: i32,
    pub full_name: String,
    pub first: String,
    pub last: String,
    #[zdm(default = "0")]
    pub amount: i64,
}

/// What nobody else writes.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Visit {
    #[zdm(primary_key)]
    pub id: i64,
    pub town: String,
}
