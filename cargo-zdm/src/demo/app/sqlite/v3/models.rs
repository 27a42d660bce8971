//! What the application stores.

use zdm_runtime::Migratable;

/// A row of the demo's table.
#[derive(Migratable, Debug, Clone, PartialEq, Eq)]
#[zdm(table = "cargo_zdm_demo_users")]
pub struct User {
    /// The key, chosen by the application.
    #[zdm(primary_key)]
    pub id: i64,
    /// The name in one piece.
    pub full_name: String,
    /// In years, where it is known.
    #[zdm(column = "age_number")]
    pub age: Option<i32>,
    /// The address.
    #[zdm(unique)]
    pub email: String,
}
