//! Values out of a control table's row, or the error that names what is there instead.

use crate::Error;
use crate::database::{Row, Value};

pub(crate) fn integer(row: &Row, at: usize) -> Result<i64, Error> {
    match row.get(at) {
        Some(Value::Int(Some(value))) => Ok(*value),
        other => Err(odd(other, "a number")),
    }
}

pub(crate) fn optional_integer(row: &Row, at: usize) -> Result<Option<i64>, Error> {
    match row.get(at) {
        Some(Value::Int(value)) => Ok(*value),
        Some(Value::Text(None)) => Ok(None),
        other => Err(odd(other, "a number")),
    }
}

pub(crate) fn text(row: &Row, at: usize) -> Result<String, Error> {
    optional_text(row, at)?.ok_or_else(|| odd(row.get(at), "a text"))
}

pub(crate) fn optional_text(row: &Row, at: usize) -> Result<Option<String>, Error> {
    match row.get(at) {
        Some(Value::Text(value)) => Ok(value.clone()),
        Some(Value::Int(None)) => Ok(None),
        other => Err(odd(other, "a text")),
    }
}

fn odd(found: Option<&Value>, expected: &str) -> Error {
    Error::Unreadable {
        what: match found {
            Some(found) => format!("{found:?} where {expected} belongs"),
            None => format!("no value where {expected} belongs"),
        },
    }
}
