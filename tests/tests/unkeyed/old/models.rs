//! Before.

use zdm_runtime::Migratable;

/// A visit of a page; nothing tells two of them apart.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(no_primary_key)]
pub struct Visit {
    pub page: String,
    pub seconds: i32,
    pub agent: String,
    pub seen: i32,
}
