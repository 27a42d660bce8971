//! Rows of `PostgreSQL`: a batch's values go back as one array.

use std::fmt;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, Encode, Postgres, Row as _, Type};

use super::call::{Fault, call};
use super::fill::{Driver, Read, Written};
use crate::Error;
use crate::database::{Connection, DatabaseError, Value};
use crate::ranges::ByFunction;

/// A function that gives a `T` for a row, as generated code calls it.
pub struct OfPostgres<T>(fn(&PgRow) -> Result<T, Error>);

impl<T> OfPostgres<T> {
    /// By the function that reads what it takes from the row.
    pub const fn new(compute: fn(&PgRow) -> Result<T, Error>) -> Self {
        Self(compute)
    }
}

impl<T> fmt::Debug for OfPostgres<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfPostgres")
    }
}

/// The same, whatever the type of the value.
pub trait Calls: fmt::Debug + Sync {
    /// What became of each row, and the values of those that have one, in their order.
    fn compute(&self, rows: &[PgRow]) -> (Vec<Result<(), Fault>>, Box<dyn Values>);
}

/// Values that are bound as one array.
pub trait Values: Send {
    /// Binds them behind what is bound already.
    fn bind(self: Box<Self>, arguments: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError>;
}

impl<T> Calls for OfPostgres<T>
where
    T: Send + 'static,
    Vec<T>: for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    fn compute(&self, rows: &[PgRow]) -> (Vec<Result<(), Fault>>, Box<dyn Values>) {
        let mut values = Vec::with_capacity(rows.len());
        let outcomes = rows.iter().map(|row| {
            let value = call(self.0, row)?;
            values.push(value);
            Ok(())
        });
        let outcomes = outcomes.collect();
        (outcomes, Box::new(values))
    }
}

impl<T> Values for Vec<T>
where
    T: Send + 'static,
    Self: for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    fn bind(self: Box<Self>, arguments: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError> {
        arguments.add(*self)
    }
}

impl Driver for &'static dyn Calls {
    type Row = PgRow;

    async fn read(
        &self,
        connection: &mut Connection,
        sql: &str,
        range: &[Value],
        texts: usize,
    ) -> Result<Vec<Read<PgRow>>, DatabaseError> {
        let rows = connection.postgres_rows(sql, range).await?;
        rows.into_iter()
            .map(|row| {
                let texts = (0..texts).map(|at| row.try_get(at));
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
        range: &[Value],
        rows: Vec<Read<PgRow>>,
        _: usize,
    ) -> Result<Written, DatabaseError> {
        let (texts, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|read| (read.texts, read.row)).unzip();
        let (outcomes, values) = self.compute(&rows);
        let mut written = Written {
            changed: 0,
            outcomes,
        };
        if written.is_stopped() {
            return Ok(written);
        }
        let mut computed = Vec::new();
        let mut refused = Vec::new();
        for (texts, outcome) in texts.iter().zip(&written.outcomes) {
            match outcome {
                Ok(()) => computed.push(texts),
                Err(_) => refused.push(texts),
            }
        }
        if !computed.is_empty() {
            let mut arguments = arrays(range, &computed)?;
            values.bind(&mut arguments).map_err(unencoded)?;
            written.changed = connection.postgres_change(sql.batch, arguments).await?;
        }
        if let Some(sql) = sql.refused.filter(|_| !refused.is_empty()) {
            let arguments = arrays(range, &refused)?;
            connection.postgres_change(sql, arguments).await?;
        }
        Ok(written)
    }
}

/// A range, and rows by the arrays of their texts.
fn arrays(range: &[Value], rows: &[&Vec<Option<String>>]) -> Result<PgArguments, DatabaseError> {
    let mut arguments = PgArguments::default();
    for end in range {
        match end {
            Value::Int(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.clone()),
        }
        .map_err(unencoded)?;
    }
    for at in 0..rows[0].len() {
        let column: Vec<Option<String>> = rows.iter().map(|texts| texts[at].clone()).collect();
        arguments.add(column).map_err(unencoded)?;
    }
    Ok(arguments)
}

fn unencoded(source: sqlx::error::BoxDynError) -> DatabaseError {
    DatabaseError::Other(sqlx::Error::Encode(source))
}
