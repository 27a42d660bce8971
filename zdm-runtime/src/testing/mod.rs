//! What generated tests call: the feature `testing`, for `[dev-dependencies]`.
//!
//! `cargo zdm generate` writes a file `tests.rs` into the folder of each migration in transition, which names the migration, its pairs and
//! the application's own repositories. What is done with them is here.
//!
//! Comes in: the checked-in files of the versions, and what the generated test says. Goes out: nothing, or a panic that says what was
//! found. Every test makes a database of its own and takes it away again.
//! Must not know: how anything is generated.

mod arrive;
mod directions;
mod error;
mod journey;
mod pair;
mod repository;
mod scratch;
mod seed;
mod told;
mod try_row;
mod values;

use std::path::PathBuf;

use self::arrive::Versions;
use self::error::TestError;
pub use self::journey::Journey;
pub use self::pair::{Column, Loses, Pair, Unconvertible};
pub use self::repository::{Database, Repository};
use self::scratch::Scratch;
pub use self::seed::{Given, Table};
pub use self::values::Values;
use crate::Code;
use crate::database::{Connection, Dialect};

/// A version as it is checked in.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// Where the versions are: `concat!(env!("CARGO_MANIFEST_DIR"), "/zdm")`.
    pub versions: &'static str,
    /// `0002_users_full_name`
    pub folder: &'static str,
    /// The code that is checked in beside it.
    pub code: &'static Code,
}

impl Version {
    fn path(&self) -> PathBuf {
        PathBuf::from(self.versions)
    }
}

/// Tries a pair's expressions on the database that they are for: what `up` makes of old values and `down` of new ones is consistent, a
/// write of one new column alone leaves rows consistent, and what does not come back is what the struct says that it loses.
///
/// The values are those at the edges of each column's type and some that chance makes, the same in every run.
///
/// # Panics
///
/// Where anything else is found, with the values and what to do; where there is no database to try it on.
#[track_caller]
pub fn both_directions(version: &Version, pair: &Pair) {
    ended(run(try_both(version, pair)));
}

async fn try_both(version: &Version, pair: &Pair) -> Result<(), TestError> {
    let versions = Versions::load(&version.path(), version.folder)?;
    let scratch = Scratch::create(versions.dialect()?).await?;
    let tried = on_scratch(&scratch, &versions, (version, pair)).await;
    let ended = scratch.end().await;
    match tried? {
        None => ended,
        Some(failure) => Err(TestError::Found(failure)),
    }
}

async fn on_scratch(
    scratch: &Scratch,
    versions: &Versions,
    (version, pair): (&Version, &Pair),
) -> Result<Option<String>, TestError> {
    let mut connection = Connection::open(scratch.url()).await?;
    // Elsewhere expressions call nothing that a version creates.
    if connection.dialect() == Dialect::Postgres {
        versions.expand(&mut connection, version.code).await?;
    }
    let findings = directions::of(&mut connection, pair).await?;
    Ok(told::failure(pair, &findings))
}

/// Runs to its end what a test does, on a runtime of its own.
fn run<T>(test: impl Future<Output = Result<T, TestError>>) -> Result<T, TestError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(TestError::Runtime)?;
    runtime.block_on(test)
}

/// A test's way to fail.
#[track_caller]
fn ended(end: Result<(), TestError>) {
    if let Err(error) = end {
        panic!("{error}");
    }
}
