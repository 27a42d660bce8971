//! The release that knows both sides.

use zdm_runtime::Migratable;

/// A visit of a page; nothing tells two of them apart.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(no_primary_key)]
pub struct Visit {
    #[zdm(renamed_from = "page")]
    pub path: String,
    #[zdm(column = "duration", from("seconds"))]
    pub seconds: i64,
    pub agent: String,
    pub seen: i32,
    #[zdm(up = "lower(agent)")]
    pub agent_key: String,
}
