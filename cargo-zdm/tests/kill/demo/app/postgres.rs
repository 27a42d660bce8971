//! The three deploys on this database.

#[path = "../../../../src/demo/app/postgres/v1/mod.rs"]
pub(crate) mod v1;
#[path = "../../../../src/demo/app/postgres/v2/mod.rs"]
pub(crate) mod v2;
#[path = "../../../../src/demo/app/postgres/v3/mod.rs"]
pub(crate) mod v3;
