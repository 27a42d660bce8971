//! Rows of `SQLite`: the transaction has the only write lock, so they go back one by one.

use std::fmt;

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, Encode, Row as _, Sqlite, Type};

use super::call::{Fault, call};
use super::fill::{Driver, Read, Written};
use crate::Error;
use crate::database::{Connection, DatabaseError, Value};
use crate::ranges::ByFunction;

/// A function that gives a `T` for a row, as generated code calls it.
pub struct OfSqlite<T>(fn(&SqliteRow) -> Result<T, Error>);

impl<T> OfSqlite<T> {
    /// By the function that reads what it takes from the row.
    pub const fn new(compute: fn(&SqliteRow) -> Result<T, Error>) -> Self {
        Self(compute)
    }
}

impl<T> fmt::Debug for OfSqlite<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfSqlite")
    }
}

/// The same, whatever the type of the value.
pub trait Calls: fmt::Debug + Sync {
    /// Binds the value of a row behind what is bound already, unless there is none.
    fn compute(
        &self,
        row: &SqliteRow,
        arguments: &mut SqliteArguments,
    ) -> Result<Result<(), Fault>, sqlx::error::BoxDynError>;
}

impl<T> Calls for OfSqlite<T>
where
    T: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + 'static,
{
    fn compute(
        &self,
        row: &SqliteRow,
        arguments: &mut SqliteArguments,
    ) -> Result<Result<(), Fault>, sqlx::error::BoxDynError> {
        match call(self.0, row) {
            Ok(value) => arguments.add(value).map(Ok),
            Err(fault) => Ok(Err(fault)),
        }
    }
}

impl Driver for &'static dyn Calls {
    type Row = SqliteRow;

    async fn read(
        &self,
        connection: &mut Connection,
        sql: &str,
        range: &[Value],
        texts: usize,
    ) -> Result<Vec<Read<SqliteRow>>, DatabaseError> {
        let rows = connection.sqlite_rows(sql, range).await?;
        rows.into_iter()
            .map(|row| {
                // A text column of `SQLite` may hold what is no text.
                let texts = (0..texts).map(|at| row.try_get_unchecked(at));
                let texts = texts.collect::<Result<_, _>>();
                Ok(Read {
                    texts: texts.map_err(DatabaseError::Other)?,
                    row,
                })
            })
            .collect()
    }

    async fn write(
        &self,
        connection: &mut Connection,
        sql: ByFunction<'_>,
        _: &[Value],
        rows: Vec<Read<SqliteRow>>,
        keys: usize,
    ) -> Result<Written, DatabaseError> {
        let mut written = Written::default();
        for read in rows {
            let mut arguments = SqliteArguments::default();
            let unencoded = |source| DatabaseError::Other(sqlx::Error::Encode(source));
            for text in read.texts[..keys].iter().chain(&read.texts[..keys]) {
                arguments.add(text.clone()).map_err(unencoded)?;
            }
            let outcome = self.compute(&read.row, &mut arguments).map_err(unencoded)?;
            match (&outcome, sql.refused) {
                (Ok(()), _) => {
                    written.changed += connection.sqlite_change(sql.batch, arguments).await?;
                }
                // Behind the range nothing is bound.
                (Err(Fault::Refused(_)), Some(refused)) => {
                    connection.sqlite_change(refused, arguments).await?;
                }
                (Err(_), _) => {}
            }
            written.outcomes.push(outcome);
            if written.is_stopped() {
                break;
            }
        }
        Ok(written)
    }
}
