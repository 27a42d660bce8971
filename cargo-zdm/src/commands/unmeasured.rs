//! In place of `measured.rs` where there is no driver: a database cannot be asked, and that is said.

use std::time::Duration;

use zdm_runtime::manifest::SmallTable;

use super::generate::Told;
use crate::context::Context;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::pipeline::Draft;
use crate::plan::Computed;

/// Refuses where the command line names a database.
pub(super) fn record(context: &Context, _: &mut Draft, _: Duration) -> Result<Told, Failure> {
    match context.named_database_url() {
        None => Ok(Told::default()),
        Some(_) => Err(no_driver()),
    }
}

/// Refuses: there is nobody to ask.
pub(super) fn sizes(
    _: &str,
    _: &[SmallTable],
    _: &Dialect,
    _: Duration,
) -> Result<Vec<Result<SmallTable, String>>, Failure> {
    Err(no_driver())
}

/// Refuses: there is nobody to ask.
pub(super) fn incomputable(
    _: &str,
    _: &[Computed],
    _: &Dialect,
    _: Duration,
) -> Result<Vec<String>, Failure> {
    Err(no_driver())
}

fn no_driver() -> Failure {
    Failure::environment(
        "this build has no driver for any database, so no rows can be counted",
        "install it with `--features postgres` or `--features sqlite`, or leave --database-url out",
    )
    .safe("nothing has been written")
}
