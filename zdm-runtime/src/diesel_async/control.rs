//! The control tables on a connection of diesel-async.

use ::diesel_async::AsyncPgConnection;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::query::{Query, query};
use super::{Row, failure};
use crate::database::control_connection::sealed::Control;
use crate::database::postgres::classify;
use crate::database::{self, DatabaseError, Dialect, Value};

impl Control for AsyncPgConnection {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        let sql = Dialect::Postgres.control(sql);
        with(&sql, values).execute(self).await.map_err(told)
    }

    async fn rows(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<database::Row>, DatabaseError> {
        let sql = Dialect::Postgres.control(sql);
        let rows = with(&sql, values).fetch_all(self).await;
        let rows = rows.map_err(told)?;
        let rows: Result<_, _> = rows.iter().map(Row::control).collect();
        rows.map_err(told)
    }
}

fn told(error: diesel::result::Error) -> DatabaseError {
    classify(failure(error))
}

fn with<'q>(sql: &'q str, values: &'q [Value]) -> Query<'q> {
    values.iter().fold(query(sql), |query, value| match value {
        Value::Int(value) => query.bind::<Nullable<BigInt>, _>(*value),
        Value::Text(value) => query.bind::<Nullable<Text>, _>(value.as_deref()),
    })
}
