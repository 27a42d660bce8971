//! One row of an answer, by the names of its columns.
//!
//! Comes in: diesel's row. Goes out: values.
//! Must not know: what was asked.

use std::fmt;

use ::diesel_async::{AsyncConnectionCore, AsyncPgConnection};
use diesel::QueryResult;
use diesel::deserialize::FromSql;
use diesel::pg::Pg;
use diesel::result::Error as DieselError;
use diesel::row::{Field as _, NamedRow, Row as _};
use diesel::sql_types::Text;

use crate::database::Value;

type Inner = <AsyncPgConnection as AsyncConnectionCore>::Row<'static, 'static>;

/// A row that keeps the values as the server sent them.
pub struct Row(Inner);

impl Row {
    pub(super) fn new(row: Inner) -> Self {
        Self(row)
    }

    /// The value of a column, which the first type says how to read.
    pub fn try_get<ST, T>(&self, column: &str) -> QueryResult<T>
    where
        T: FromSql<ST, Pg>,
    {
        let value = NamedRow::get::<ST, T>(&self.0, column);
        value.map_err(DieselError::DeserializationError)
    }

    pub(super) fn first<ST, T>(&self) -> QueryResult<T>
    where
        T: FromSql<ST, Pg>,
    {
        let field = diesel::row::Row::get(&self.0, 0).ok_or(DieselError::NotFound)?;
        let value = T::from_nullable_sql(field.value());
        value.map_err(DieselError::DeserializationError)
    }

    /// Its values as the control tables have them.
    pub(super) fn control(&self) -> QueryResult<Vec<Value>> {
        let fields = 0..self.0.field_count();
        let values = fields.map(|at| {
            let field = diesel::row::Row::get(&self.0, at).ok_or(DieselError::NotFound)?;
            value(field.value()).map_err(DieselError::DeserializationError)
        });
        values.collect()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").finish_non_exhaustive()
    }
}

/// Of a NULL the type is not told; whoever reads the control tables takes it for both.
fn value(found: Option<diesel::pg::PgValue<'_>>) -> diesel::deserialize::Result<Value> {
    use diesel::sql_types::{BigInt, Bool, Integer, SmallInt};
    let Some(found) = found else {
        return Ok(Value::Text(None));
    };
    // Numbers of built-in types, which never change: `boolean`, `bigint`, `smallint`, `integer`.
    Ok(match found.get_oid().get() {
        16 => <bool as FromSql<Bool, Pg>>::from_sql(found).map(|value| i64::from(value).into())?,
        20 => <i64 as FromSql<BigInt, Pg>>::from_sql(found)?.into(),
        21 => {
            <i16 as FromSql<SmallInt, Pg>>::from_sql(found).map(|value| i64::from(value).into())?
        }
        23 => {
            <i32 as FromSql<Integer, Pg>>::from_sql(found).map(|value| i64::from(value).into())?
        }
        _ => <String as FromSql<Text, Pg>>::from_sql(found)?.into(),
    })
}
