//! `up` gives a value for every row, whatever it holds.

use zdm_model::{Column, LogicalType, OnInvalid};

use super::Way;
use crate::changes::ChangeError;
use crate::changes::expressions::Written;
use crate::plan::Function;

impl Way<'_> {
    /// Makes `up` total, as `valid_if` and `on_invalid` say: by a function where the database has such, else by a CASE.
    pub(super) fn total(&self, up: String) -> Result<(String, Option<Function>), ChangeError> {
        let transition = self.transition;
        let valid_if = self.declared("valid_if", transition.valid_if.as_ref())?;
        let Some(on_invalid) = &transition.on_invalid else {
            self.needs_no_rule(&up, valid_if)?;
            return Ok((up, None));
        };
        let (invalid, needs_option) = match on_invalid {
            OnInvalid::Quarantine | OnInvalid::Null => ("NULL", true),
            OnInvalid::Reject => ("NULL", false),
            OnInvalid::Default(default) => {
                self.check("on_invalid", default, &[])?;
                (default.as_str(), false)
            }
        };
        if needs_option && !self.new.nullable {
            return Err(self.mistake(
                "rows that cannot be converted carry NULL, but the field is no `Option`".to_owned(),
                "Make it an `Option`, or choose `on_invalid = default(\"…\")` or `\"reject\"`"
                    .to_owned(),
            ));
        }
        let mut inputs: Vec<&str> = self.old.iter().map(|column| column.name.as_str()).collect();
        if inputs.is_empty() {
            inputs = self
                .table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
        }
        let mut named = self.check("up", &up, &inputs)?;
        if let Some(valid_if) = valid_if {
            named.extend(self.check("valid_if", valid_if, &inputs)?);
        }
        if self.context.dialect.capabilities().total_functions {
            inputs.retain(|name| named.iter().any(|column| column == name));
            return self.function(&up, &inputs, valid_if, invalid);
        }
        let Some(valid_if) = valid_if else {
            return Err(self.mistake(
                format!(
                    "{} converts what it cannot read without an error, so nothing would be found invalid",
                    self.context.dialect.vendor()
                ),
                "Give it `valid_if = \"…\"`: the condition under which `up` gives the right value".to_owned(),
            ));
        };
        let condition = self
            .context
            .dialect
            .invalid(Some(valid_if), &up, self.new.logical_type)
            .unwrap_or_default();
        let total = format!("CASE WHEN {condition} THEN {invalid} ELSE {up} END");
        Ok((total, None))
    }

    pub(super) fn needs_no_rule(
        &self,
        up: &str,
        valid_if: Option<&str>,
    ) -> Result<(), ChangeError> {
        let (rules, told) = if self.sharing().len() > 1 {
            let way_on = "Let the part be what it is in the old column, a text say, and convert it in a later version";
            (way_on.to_owned(), way_on.to_owned())
        } else {
            let rules =
                "Add `on_invalid = \"quarantine\"`, `\"null\"`, `default(\"…\")` or `\"reject\"`";
            let condition =
                "Give it `valid_if = \"…\"`, the condition under which `up` gives the right value.";
            (rules.to_owned(), format!("{condition} {rules}"))
        };
        if valid_if.is_some() {
            return Err(self.mistake(
                "`valid_if` tells which values `up` cannot convert, but nothing says what becomes of them".to_owned(),
                rules,
            ));
        }
        let reads_text = self
            .old
            .iter()
            .any(|old| old.logical_type == LogicalType::Text);
        let silent = !self.context.dialect.capabilities().total_functions;
        if silent && reads_text && is_number(self.new.logical_type) {
            return Err(self.mistake(
                format!(
                    "{} casts a text that is no number to 0 without an error",
                    self.context.dialect.vendor()
                ),
                told,
            ));
        }
        let narrows = self.old.iter().any(|old| may_not_fit(old, self.new));
        if silent && narrows {
            return Err(self.mistake(
                format!(
                    "{} keeps what `{up}` gives, and your code cannot read it where it is no `{}`",
                    self.context.dialect.vendor(),
                    self.new.rust_type
                ),
                told,
            ));
        }
        if let Some(part) = self.fails_on(up)? {
            return Err(self.mistake(
                format!(
                    "{} may fail on a row that `{up}` cannot convert, because of `{part}`, and with it every statement of your \
                     code that meets the row",
                    self.context.dialect.vendor()
                ),
                rules,
            ));
        }
        Ok(())
    }

    /// The part of `up` on which the database may fail, for some value of the columns that it names. A cast to new's type
    /// that was put around the declared `up` does what a write does; it matters where it is all that happens to a column.
    fn fails_on(&self, up: &str) -> Result<Option<String>, ChangeError> {
        let dialect = self.context.dialect;
        let declared = self.declared("up", self.transition.up.as_ref())?;
        let declared = declared.unwrap_or(up);
        let subject = self.subject();
        let written = Written {
            at: self.at,
            subject: &subject,
            attribute: "up",
            text: declared,
        };
        let mistaken = |source| written.mistaken(source);
        if let Some(part) = dialect.may_fail(declared).map_err(mistaken)? {
            return Ok(Some(part));
        }
        let is_column = self.table.column(declared.trim_matches('"')).is_some();
        let casts = dialect.casts_in(declared).map_err(mistaken)? || (is_column && declared != up);
        if !dialect.capabilities().typed_columns || !casts {
            return Ok(None);
        }
        let named = dialect.columns_in(declared).map_err(mistaken)?;
        let mut columns = named.iter().filter_map(|name| self.table.column(name));
        let failing = columns.find(|old| cast_may_fail(old, self.new));
        Ok(failing.map(|old| format!("the cast of {}", old.name)))
    }

    fn function(
        &self,
        up: &str,
        inputs: &[&str],
        valid_if: Option<&str>,
        invalid: &str,
    ) -> Result<(String, Option<Function>), ChangeError> {
        let dialect = self.context.dialect;
        let name = own_name(
            self.context.id,
            &format!("{}_{}", self.table.name, self.new.name),
            "_up",
        );
        let parameters = inputs
            .iter()
            .filter_map(|name| self.table.column(name))
            .map(|column| {
                (
                    Function::parameter(&column.name),
                    dialect.uncollated_type_of(column),
                )
            })
            .collect();
        let over_parameters = |attribute: &str, text: &str| {
            let replacements: Vec<(&str, String)> = inputs
                .iter()
                .map(|name| (*name, dialect.ident(&Function::parameter(name))))
                .collect();
            let replacements: Vec<(&str, &str)> = replacements
                .iter()
                .map(|(name, parameter)| (*name, parameter.as_str()))
                .collect();
            dialect.bind(text, &replacements).map_err(|source| {
                let subject = self.subject();
                let written = Written {
                    at: self.at,
                    subject: &subject,
                    attribute,
                    text,
                };
                written.mistaken(source)
            })
        };
        let arguments: Vec<String> = inputs.iter().map(|name| self.ident(name)).collect();
        let call = format!("{}({})", dialect.own(&name), arguments.join(", "));
        let function = Function {
            name,
            parameters,
            returns: dialect.uncollated_type_of(self.new),
            expression: over_parameters("up", up)?,
            valid_if: valid_if
                .map(|text| over_parameters("valid_if", text))
                .transpose()?,
            invalid: invalid.to_owned(),
        };
        Ok((call, Some(function)))
    }
}

/// The longest identifier that PostgreSQL does not cut (manual, "Identifiers and Key Words").
const LONGEST_IDENTIFIER: usize = 63;

/// The name of something that belongs to a version.
pub(crate) fn own_name(id: &str, of: &str, ending: &str) -> String {
    let full = format!("{id}_{of}{ending}");
    if full.len() <= LONGEST_IDENTIFIER {
        return full;
    }
    let hash = blake3::hash(full.as_bytes()).to_hex();
    format!("{id}_{}{ending}", &hash.as_str()[..16])
}

/// A cast from old to new has values that it fails on.
fn may_not_fit(old: &Column, new: &Column) -> bool {
    let width = |logical| match logical {
        LogicalType::Int2 => Some(2),
        LogicalType::Int4 => Some(4),
        LogicalType::Int8 => Some(8),
        LogicalType::Float4 | LogicalType::Float8 => Some(9),
        _ => None,
    };
    match (old.logical_type, new.logical_type) {
        (LogicalType::Text, LogicalType::Text) => false,
        (LogicalType::Text, _) => true,
        (old, new) => width(old) > width(new) && width(new).is_some(),
    }
}

/// A cast of what a column holds, on its way to another one, has values that it fails on.
fn cast_may_fail(old: &Column, new: &Column) -> bool {
    let parsed = match old.logical_type {
        LogicalType::Json => new.logical_type != LogicalType::Json,
        LogicalType::Text | LogicalType::Bytes | LogicalType::Custom => true,
        _ => false,
    };
    parsed || may_not_fit(old, new)
}

fn is_number(logical: LogicalType) -> bool {
    matches!(
        logical,
        LogicalType::Bool
            | LogicalType::Int2
            | LogicalType::Int4
            | LogicalType::Int8
            | LogicalType::Float4
            | LogicalType::Float8
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_function_names_stay_distinct() {
        let long = "x".repeat(60);
        let one = own_name("0123456789ab", &format!("{long}_a"), "_up");
        let two = own_name("0123456789ab", &format!("{long}_b"), "_up");
        assert!(one.len() <= LONGEST_IDENTIFIER && one != two);
    }
}
