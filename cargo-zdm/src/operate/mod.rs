//! What the commands that act on a database share: the open session, the choice of a migration, the moves.
//!
//! Comes in: the context and the command's arguments. Goes out: a moved migration and what to tell about it.
//! Must not know: the models, the generator; only `zdm.toml` and the versions' folder are read.

mod building;
mod catalogue;
mod checksums;
mod claim;
mod fresh;
pub(crate) mod gate;
pub(crate) mod moves;
mod neighbours;
pub(crate) mod position;
mod readers;
pub(crate) mod report;
pub(crate) mod rest;
mod rights;
pub(crate) mod section;
pub(crate) mod session;
pub(crate) mod target;
mod throttle;
mod url;

use std::future::Future;

use crate::error::Failure;

/// Runs a command's future to its end.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::environment(
                format!("the operating system gives no threads: {error}"),
                "free some resources and run the command again; nothing has been changed",
            )
        })?
        .block_on(command)
}
