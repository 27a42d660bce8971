//! What two sides of a row were, as one value: the dialect's word for it.
//!
//! Must not know: where it is kept, what it is compared for.

use zdm_model::{Column, LogicalType};

use super::Dialect;

impl Dialect {
    /// The type of a column that holds seals.
    pub fn seal_type(&self) -> &str {
        &self.facts.seal.sql_type
    }

    /// The seal of values, each as its column holds it. Two rows have the same seal where their values are the same bytes; it is
    /// never NULL and never fails.
    pub fn seal(&self, values: &[(&Column, String)]) -> String {
        let seal = &self.facts.seal;
        let values = values.iter().map(|(column, value)| {
            let own = seal.enumeration.as_ref();
            let own = own.filter(|_| column.logical_type == LogicalType::Enum);
            own.unwrap_or(&seal.value).replace("{value}", value)
        });
        let values: Vec<String> = values.collect();
        seal.of.replace("{values}", &values.join(&seal.between))
    }

    /// Whether a statement knows how the column holds what is bound for it, and for good. A database without types of columns may make a
    /// number of a text, and of `1.0` a `1`; and SQLite's text of a floating-point number is another one in another version of it.
    pub fn seals(&self, column: &Column) -> bool {
        let is_float = matches!(
            column.logical_type,
            LogicalType::Float4 | LogicalType::Float8
        );
        if is_float && !self.capabilities().typed_columns {
            return false;
        }
        let Some(declared) = &column.sql_type else {
            return true;
        };
        let standard = self.type_name(column.logical_type);
        let declared = super::unbounded(declared);
        self.capabilities().typed_columns
            || column.logical_type == LogicalType::Enum
            || (column.logical_type != LogicalType::Custom
                && declared == super::unbounded(standard))
    }
}
