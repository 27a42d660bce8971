//! A column that a Rust function of the application fills, or that replaces others by one.

use zdm_model::{Column, Function, LogicalType, names};

use super::{Conversion, Way};
use crate::changes::ChangeError;
use crate::plan::Pair;

/// What SQL knows of the value.
const UNKNOWN: &str = "NULL";

impl Way<'_> {
    /// The pair of a column that a function fills: no SQL gives its value.
    pub(super) fn computing(self, function: &Function) -> Result<Conversion, ChangeError> {
        self.is_alone()?;
        self.is_no_array()?;
        let inputs = function.inputs.iter().map(|name| self.input(name));
        let inputs: Vec<Column> = inputs.collect::<Result<_, _>>()?;
        let pair = Pair {
            consistent: format!("{} IS NOT NULL", self.ident(&self.new.name)),
            inputs,
            with: Some(function.clone()),
            ..self.pair(UNKNOWN.to_owned())?
        };
        Ok(Conversion {
            pair,
            function: None,
        })
    }

    /// The pair of a column that replaces others by a function. SQL cannot tell whether new is what the function makes of old; a seal
    /// says what both were when somebody wrote both, who had called it.
    pub(super) fn sealing(self, function: &Function) -> Result<Conversion, ChangeError> {
        self.is_alone()?;
        self.is_no_array()?;
        self.is_sealable()?;
        let mut pair = Pair {
            inputs: self.old.to_vec(),
            with: Some(function.clone()),
            seal: Some(self.seal()?),
            ..self.pair(UNKNOWN.to_owned())?
        };
        let sealed = pair.sealed(self.context.dialect).unwrap_or_default();
        pair.consistent = self.filled(format!("({sealed})"));
        Ok(Conversion {
            pair,
            function: None,
        })
    }

    /// The name of the column for seals, which nothing else has.
    fn seal(&self) -> Result<String, ChangeError> {
        let seal = names::seal(&self.new.name);
        let after = self.context.to.table(&self.table.name);
        let tables = [Some(self.table), after];
        let mut tables = tables.into_iter().flatten();
        if !tables.any(|table| table.column(&seal).is_some()) {
            return Ok(seal);
        }
        Err(self.mistake(
            format!("a Rust function computes it, and a column `{seal}` beside it would hold what both sides were; there is one already"),
            format!("Rename or drop `{seal}` in a version before"),
        ))
    }

    /// The seal of what is bound has to be that of what is stored.
    fn is_sealable(&self) -> Result<(), ChangeError> {
        let dialect = self.context.dialect;
        let mut sides = self.old.iter().chain([self.new]);
        let Some(column) = sides.find(|column| !dialect.seals(column)) else {
            return Ok(());
        };
        Err(self.mistake(
            format!(
                "a Rust function computes it, and a statement would have to know how {} stores `{}`, a {}: what is bound, or what \
                 another version of {0} makes of it, may be another value",
                dialect.vendor(),
                column.name,
                dialect.type_of(column)
            ),
            "Leave the column's `sql_type` to its Rust type, where that is no floating-point number, or convert with SQL, by `up`"
                .to_owned(),
        ))
    }

    /// The entry point in the application fills one column: what else the version converts in the table, its batches would have to
    /// do as well.
    fn is_alone(&self) -> Result<(), ChangeError> {
        let after = self.context.to.table(&self.table.name);
        let columns = after.into_iter().flat_map(|table| &table.columns);
        let mut others = columns.filter(|column| {
            column.name != self.new.name
                && column.transition.is_some()
                && crate::diff::is_under_way(self.table, column)
        });
        match others.next() {
            None => Ok(()),
            Some(other) => Err(self.mistake(
                format!(
                    "a Rust function fills it, and the same version gives `{}` its values: a batch is either the application's or \
                     SQL's",
                    other.name
                ),
                "Let one of the two come in a version of its own: they may be under way at the same time".to_owned(),
            )),
        }
    }

    /// The values of a batch come as one array, which the database takes apart.
    fn is_no_array(&self) -> Result<(), ChangeError> {
        let declared = self.context.dialect.uncollated_type_of(self.new);
        let is_array = declared.ends_with("[]") || declared.to_lowercase().starts_with("array");
        if !is_array {
            return Ok(());
        }
        Err(self.mistake(
            format!("a Rust function fills it, and it is a {declared}: arrays of arrays cannot be taken apart row by row"),
            "Compute it with SQL, by `up`".to_owned(),
        ))
    }

    /// A column that the function takes: the row has it before and after, as the same.
    fn input(&self, name: &str) -> Result<Column, ChangeError> {
        let before = self.table.column(name);
        let after = self.context.to.table(&self.table.name);
        let after = after.and_then(|table| table.column(name));
        let (Some(before), Some(after)) = (before, after) else {
            return Err(self.mistake(
                format!("the function takes `{name}`, which rows do not have yet"),
                format!("Let `{name}` come in a version before"),
            ));
        };
        let same = before.logical_type == after.logical_type
            && before.sql_type == after.sql_type
            && before.nullable == after.nullable;
        if !same {
            return Err(self.mistake(
                format!(
                    "the function takes `{name}`, whose type changes in the same version: it would be called with the one and the \
                     other"
                ),
                format!("Let `{name}` change in a version of its own"),
            ));
        }
        if after.logical_type == LogicalType::Enum && before.rust_type != after.rust_type {
            return Err(self.mistake(
                format!(
                    "the function takes `{name}`, which becomes another enum in the same version"
                ),
                format!("Let `{name}` change in a version of its own"),
            ));
        }
        Ok(after.clone())
    }
}
