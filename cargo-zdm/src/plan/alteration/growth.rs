//! A column of a key that grows: a wide column beside it, kept equal by a trigger until the two exchange their names.

use serde::Serialize;

use super::Alteration;

/// What is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Growing {
    /// A trigger keeps the wide column, and a view has both sides for the backfill.
    Keep(Growth),
    /// Trigger and view go.
    Leave(Growth),
    /// The wide column becomes the key's.
    Exchange(Growth),
    /// The narrow column becomes the key's again.
    ExchangeBack(Growth),
}

/// The column with its names, as templates need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// The name of view and function, without their schema, unquoted.
    pub name: String,
    /// The key's columns, unquoted.
    pub key: Vec<String>,
    /// The one that grows: the name that the narrow column has before the exchange and the wide one after it.
    pub column: String,
    /// The wide column before the exchange.
    pub interim: String,
    /// The narrow column after it.
    pub released: String,
    /// The narrow type.
    pub narrow: String,
    /// The wide type.
    pub wide: String,
    /// The least and the greatest number of the narrow type.
    pub fits: (i64, i64),
    /// How the database counts the column.
    pub counting: Option<super::Counting>,
}

impl Growing {
    /// The column that grows.
    pub fn growth(&self) -> &Growth {
        match self {
            Self::Keep(growth)
            | Self::Leave(growth)
            | Self::Exchange(growth)
            | Self::ExchangeBack(growth) => growth,
        }
    }

    pub(super) fn summary(&self, table: &str) -> String {
        let Growth {
            column,
            interim,
            released,
            wide,
            narrow,
            ..
        } = self.growth();
        match self {
            Self::Keep(_) => format!("let a trigger keep {table}.{interim} equal to {column}"),
            Self::Leave(_) => format!("drop the trigger that keeps {table}.{released}"),
            Self::Exchange(_) => {
                format!(
                    "make the {wide} {table}.{interim} the key's {column}, with all that refers to it"
                )
            }
            Self::ExchangeBack(_) => {
                format!(
                    "make the {narrow} {table}.{released} the key's {column} again, with all that refers to it"
                )
            }
        }
    }

    pub(super) fn inverse(&self, table: &str) -> Result<Alteration, String> {
        Ok(Alteration::Grow(match self.clone() {
            Self::Keep(growth) => Self::Leave(growth),
            Self::Leave(_) => return Err(format!("the column of {table} that it kept is gone")),
            Self::Exchange(growth) => Self::ExchangeBack(growth),
            Self::ExchangeBack(growth) => Self::Exchange(growth),
        }))
    }
}
