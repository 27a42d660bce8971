//! The generated repositories of all versions and dialects behind one face that speaks of [`Person`]s.
//!
//! Comes in: a dialect and a version. Goes out: a [`Repository`], connected. Must not know: stages, what is written when.

use std::future::Future;
use std::pin::Pin;

use zdm_runtime::Zdm;
use zdm_runtime::database::{Connection, Dialect};

use super::error::WorkError;
use super::message::Version;
use super::person::Person;

/// An answer on its way.
pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, WorkError>> + Send + 'a>>;

/// What every version of the application can do with its table.
pub(super) trait Repository: Send + Sync {
    /// Stores a new row.
    fn insert<'a>(&'a self, on: &'a mut Connection, person: &'a Person) -> Answer<'a, ()>;
    /// Stores a row, or replaces the one with its key.
    fn upsert<'a>(&'a self, on: &'a mut Connection, person: &'a Person) -> Answer<'a, ()>;
    /// Writes every column; `false`: no such row.
    fn update<'a>(&'a self, on: &'a mut Connection, person: &'a Person) -> Answer<'a, bool>;
    /// Writes the name alone; `false`: no such row.
    fn set_name<'a>(&'a self, on: &'a mut Connection, id: i64, name: &'a str) -> Answer<'a, bool>;
    /// Writes the person's age alone; `false`: no such row.
    fn set_age<'a>(&'a self, on: &'a mut Connection, person: &'a Person) -> Answer<'a, bool>;
    /// The row with that key.
    fn get<'a>(&'a self, on: &'a mut Connection, id: i64) -> Answer<'a, Option<Person>>;
    /// The rows with those keys.
    fn get_many<'a>(&'a self, on: &'a mut Connection, ids: &'a [i64]) -> Answer<'a, Vec<Person>>;
    /// Up to `limit` rows after a key, in key order.
    fn list<'a>(
        &'a self,
        on: &'a mut Connection,
        after: i64,
        limit: i64,
    ) -> Answer<'a, Vec<Person>>;
    /// Deletes the row; `false`: no such row.
    fn delete<'a>(&'a self, on: &'a mut Connection, id: i64) -> Answer<'a, bool>;
}

/// Registers a version's code with the database and returns its repository.
pub(super) async fn connect(
    dialect: Dialect,
    version: Version,
    url: &str,
) -> Result<(Zdm, Box<dyn Repository>), WorkError> {
    match dialect {
        #[cfg(feature = "postgres")]
        Dialect::Postgres => super::app::postgres::connect(version, url).await,
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => super::app::sqlite::connect(version, url).await,
        #[allow(unreachable_patterns, reason = "a build with one driver")]
        _ => Err(WorkError::Answer(format!(
            "this build has no driver for {dialect}"
        ))),
    }
}
