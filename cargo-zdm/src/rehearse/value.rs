//! A value of a row, as a database returns it.
//!
//! Must not know: columns, types.

use serde::{Deserialize, Serialize};

/// A value. `PostgreSQL`'s are all texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// Values of a row, in the order of its written columns.
pub(super) type Values = Vec<Value>;

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The value as a literal that `PostgreSQL` takes for any type.
    #[cfg(feature = "postgres")]
    pub(super) fn literal(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Int(number) => format!("'{number}'"),
            Self::Real(number) => format!("'{number}'"),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Blob(bytes) => format!("'\\x{}'", hexadecimal(bytes)),
        }
    }

    /// True, however a database says so.
    pub(super) fn is_true(&self) -> bool {
        matches!(self, Self::Int(1)) || matches!(self, Self::Text(text) if text == "t")
    }

    /// A whole number, however a database returns it.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Null | Self::Real(_) | Self::Blob(_) => None,
        }
    }

    /// What people read, and what keys are told apart by.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Blob(bytes) => format!("0x{}", hexadecimal(bytes)),
        }
    }
}

/// Several values, for people.
pub(super) fn shown(values: &[Value]) -> String {
    let shown: Vec<_> = values.iter().map(Value::shown).collect();
    shown.join(", ")
}

/// What tells these values from others.
pub(super) fn identity(values: &[Value]) -> String {
    serde_json::to_string(values).unwrap_or_else(|_| shown(values))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
