//! One file per subcommand, each thin: its arguments, one call, its answer.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod advance;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod approve;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod backfill;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod completions;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod contract;
pub(crate) mod dashboard;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod demo;
pub(crate) mod diff;
mod direct;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod expand;
mod fate;
pub(crate) mod finalize;
pub(crate) mod generate;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod import;
pub(crate) mod init;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod measured;
#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
#[path = "unmeasured.rs"]
mod measured;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod pause;
mod project;
mod pull_request;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod quarantine;
pub(crate) mod references;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod rehearse;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod resume;
pub(crate) mod review;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod rollback;
mod sides;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod status;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod switch;
pub(crate) mod templates;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod verify;
