//! The three deploys on this database.

#[path = "../../../../src/demo/app/sqlite/v1/mod.rs"]
pub(crate) mod v1;
#[path = "../../../../src/demo/app/sqlite/v2/mod.rs"]
pub(crate) mod v2;
#[path = "../../../../src/demo/app/sqlite/v3/mod.rs"]
pub(crate) mod v3;
