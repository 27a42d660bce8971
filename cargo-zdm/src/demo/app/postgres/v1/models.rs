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
    pub name: String,
    /// As it was typed in.
    pub age: Option<String>,
    /// The address.
    #[zdm(unique)]
    pub email: String,
}
