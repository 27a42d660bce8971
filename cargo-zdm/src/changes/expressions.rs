//! The user's SQL in attributes, checked against the columns that it may name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use zdm_model::{Exclusion, Expression, Index, Schema, Table, Transition};

use super::{ChangeError, Context};
use crate::dialect::{Dialect, ExpressionError};
use crate::diff::Place;

/// An expression with what is needed to complain about it.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) at: &'a Place,
    pub(super) subject: &'a str,
    pub(super) attribute: &'a str,
    pub(super) text: &'a str,
}

impl Written<'_> {
    /// Every column that the expression names is one of these.
    pub(super) fn names_only(
        self,
        dialect: &Dialect,
        allowed: &[&str],
    ) -> Result<Vec<String>, ChangeError> {
        self.allowed(dialect.columns_in(self.text), allowed)
    }

    pub(super) fn allowed(
        self,
        named: Result<BTreeSet<String>, ExpressionError>,
        allowed: &[&str],
    ) -> Result<Vec<String>, ChangeError> {
        let columns = named.map_err(|source| self.mistaken(source))?;
        match columns
            .iter()
            .find(|name| !allowed.contains(&name.as_str()))
        {
            None => Ok(columns.into_iter().collect()),
            Some(column) => Err(ChangeError::ForeignColumn {
                at: Box::new(self.at.clone()),
                subject: self.subject.to_owned(),
                attribute: self.attribute.to_owned(),
                column: column.clone(),
                allowed: if allowed.is_empty() {
                    "constants".to_owned()
                } else {
                    format!("`{}`", allowed.join("`, `"))
                },
            }),
        }
    }

    /// The expression gives the same value whenever it is asked.
    pub(super) fn is_steady(self, dialect: &Dialect) -> Result<(), ChangeError> {
        let changing = dialect
            .changing_in(self.text)
            .map_err(|source| self.mistaken(source))?;
        match changing {
            None => Ok(()),
            Some(function) => Err(ChangeError::Changing {
                at: Box::new(self.at.clone()),
                subject: self.subject.to_owned(),
                attribute: self.attribute.to_owned(),
                function,
                way_on: "Compute it from columns of the row that do not change".to_owned(),
            }),
        }
    }

    pub(super) fn mistaken(self, source: ExpressionError) -> ChangeError {
        ChangeError::Expression {
            at: Box::new(self.at.clone()),
            subject: self.subject.to_owned(),
            attribute: self.attribute.to_owned(),
            source: Box::new(source),
        }
    }
}

/// The schema with the columns in all its expressions spelled as the dialect needs it, so that every use of an
/// expression means the same. Old columns are those of the table before.
pub(crate) fn spelled(schema: &Schema, before: &Schema, dialect: &Dialect) -> Schema {
    let mut schema = schema.clone();
    for table in &mut schema.tables {
        let names = |table: &Table| -> Vec<String> {
            let names = table.columns.iter().map(|column| column.name.clone());
            names.collect()
        };
        let own = names(table);
        let old = before.table(&table.name).map(names).unwrap_or_default();
        let spell = |text: &mut String, columns: &[String]| {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            *text = dialect.spelled(text, &columns);
        };
        for check in &mut table.checks {
            spell(&mut check.expr, &own);
        }
        let indexes = table.indexes.iter_mut().map(|index| &mut index.predicate);
        let exclusions = table.exclusions.iter_mut();
        let excluded = exclusions.map(|exclusion| &mut exclusion.predicate);
        for predicate in indexes.chain(excluded).flatten() {
            spell(predicate, &own);
        }
        for generated in table
            .columns
            .iter_mut()
            .filter_map(|column| column.generated.as_mut())
        {
            spell(generated, &own);
        }
        for column in &mut table.columns {
            let new = [column.name.clone()];
            let Some(transition) = &mut column.transition else {
                continue;
            };
            let Transition {
                up, valid_if, down, ..
            } = transition;
            let down = down.iter_mut().map(|(_, text)| (text, &new[..]));
            let over_old = up.iter_mut().chain(valid_if).map(|text| (text, &old[..]));
            for (expression, columns) in over_old.chain(down) {
                match expression {
                    Expression::Any(text) => spell(text, columns),
                    Expression::PerDialect(texts) => {
                        let own = texts.iter_mut().filter(|(name, _)| name == dialect.name());
                        own.for_each(|(_, text)| spell(text, columns));
                    }
                }
            }
        }
    }
    schema
}

/// The schema with the defaults of `before` where its own only spell them differently.
pub(crate) fn with_known_defaults<'a>(
    schema: &'a Schema,
    before: &Schema,
    dialect: &Dialect,
) -> Cow<'a, Schema> {
    let mut known: Cow<'a, Schema> = Cow::Borrowed(schema);
    for (at, table) in schema.tables.iter().enumerate() {
        let Some(old) = before.table(&table.name) else {
            continue;
        };
        for (position, column) in table.columns.iter().enumerate() {
            let Some(old) = old.column(&column.name) else {
                continue;
            };
            let (one, other) = (old.default.as_deref(), column.default.as_deref());
            if one != other && dialect.same_default(&dialect.uncollated_type_of(column), one, other)
            {
                let known = &mut known.to_mut().tables[at].columns[position];
                known.default.clone_from(&old.default);
            }
        }
    }
    known
}

impl Context<'_> {
    /// The columns that an exclusion constraint names. It has been checked.
    pub(super) fn excluded(&self, exclusion: &Exclusion) -> Vec<String> {
        let operands = exclusion
            .elements
            .iter()
            .filter_map(|element| Exclusion::operand(element));
        operands
            .filter_map(|(operand, _)| self.dialect.columns_in_element(operand).ok())
            .flatten()
            .chain(self.columns_of(&[], exclusion.predicate.as_deref()))
            .collect()
    }

    /// The columns that a check names beside those listed. The expression has been checked.
    pub(super) fn columns_of(&self, listed: &[String], expression: Option<&str>) -> Vec<String> {
        let mut columns = listed.to_vec();
        let named = expression.and_then(|text| self.dialect.columns_in(text).ok());
        columns.extend(named.into_iter().flatten());
        columns
    }

    /// The columns that an index's expressions name. They have been checked.
    pub(super) fn expressed(&self, index: &Index) -> Vec<String> {
        let elements = index.elements.iter();
        elements
            .filter_map(|element| self.dialect.columns_in_element(element).ok())
            .flatten()
            .chain(self.columns_of(&[], index.predicate.as_deref()))
            .collect()
    }

    /// All columns that an index stands on.
    pub(super) fn indexed(&self, index: &Index) -> Vec<String> {
        [
            index.columns.clone(),
            index.include.clone(),
            self.expressed(index),
        ]
        .concat()
    }
}
