//! A row's key, as the backfill's statements take and return it: text, one value per key column.
//!
//! In the control tables it is a JSON array, which is exact and readable. Must not know: any column's type.

use std::fmt;

use crate::database::{DatabaseError, Row, Value};

/// The values of a row's key columns, in key order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<String>);

impl Key {
    /// A key of these values.
    pub fn of(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(values.into_iter().map(Into::into).collect())
    }

    /// Reads the form in the control tables.
    pub fn decode(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }

    /// The form in the control tables: `["17","a"]`.
    pub fn encode(&self) -> String {
        serde_json::Value::from(self.0.clone()).to_string()
    }

    /// The first `columns` values of a row are a key.
    pub(crate) fn read(row: &[Value], columns: usize) -> Result<Self, DatabaseError> {
        let values = row
            .get(..columns)
            .ok_or_else(|| DatabaseError::unexpected("which key a row has", row))?;
        values
            .iter()
            .map(|value| match value {
                Value::Text(Some(value)) => Ok(value.clone()),
                Value::Int(Some(value)) => Ok(value.to_string()),
                Value::Text(None) | Value::Int(None) => {
                    Err(DatabaseError::unexpected("which key a row has", row))
                }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Parameters for a range.
    pub(crate) fn range(start: &Self, end: &Self) -> Row {
        start
            .0
            .iter()
            .chain(&end.0)
            .map(|value| Value::from(value.as_str()))
            .collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back_as_it_was() {
        for values in [vec!["1"], vec!["a\"b\\", "", "\u{0}ü\n"], vec!["[\"1\"]"]] {
            let key = Key::of(values);
            assert_eq!(Key::decode(&key.encode()).ok(), Some(key));
        }
    }
}
