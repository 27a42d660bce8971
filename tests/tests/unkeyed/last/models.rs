//! The release that knows both sides.

use zdm_runtime::Migratable;

/// A visit of a page; nothing tells two of them apart.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(no_primary_key)]
pub struct Visit {
    pub path: String,
    #[zdm(column = "duration")]
    pub seconds: i64,
    pub agent: String,
    pub seen: i32,
    pub agent_key: String,
}
