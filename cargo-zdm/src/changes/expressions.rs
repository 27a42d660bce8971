//! The user's SQL in attributes, checked against the columns that it may name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use zdm_model::{
    Check, Column, Exclusion, Expression, ForeignKey, Index, LogicalType, Schema, Table,
    Transition, Unique,
};

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

    fn allowed(
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

/// Defaults, checks and predicates of what is declared now: each an expression of the dialect over its own table.
pub(crate) fn check_schema(schema: &Schema, dialect: &Dialect) -> Vec<ChangeError> {
    schema
        .tables
        .iter()
        .flat_map(|table| check_table(table, dialect))
        .collect()
}

fn check_table(table: &Table, dialect: &Dialect) -> Vec<ChangeError> {
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let place = |source: &str| Place {
        table: table.name.clone(),
        source: source.to_owned(),
    };
    let at = place(&table.source);
    let columns = table.columns.iter();
    let mut errors: Vec<ChangeError> = columns
        .filter_map(|column| {
            auto_of_another_type(table, column, dialect)
                .or_else(|| counted_beside_the_key(table, column, dialect))
                .or_else(|| array_of_texts(table, column, dialect))
                .or_else(|| computed_when_read(table, column, dialect))
        })
        .collect();
    for column in &table.columns {
        let (at, subject) = (
            place(&column.source),
            format!("{}.{}", table.name, column.name),
        );
        let default = ("default", &column.default, &[][..]);
        let generated = ("generated", &column.generated, &names[..]);
        for (attribute, expression, allowed) in [default, generated] {
            let Some(text) = expression else { continue };
            let written = Written {
                at: &at,
                subject: &subject,
                attribute,
                text,
            };
            errors.extend(written.names_only(dialect, allowed).err());
        }
    }
    let written = |subject, attribute, text| Written {
        at: &at,
        subject,
        attribute,
        text,
    };
    for unique in &table.uniques {
        errors.extend(unknown_of_unique(&at, unique, dialect));
    }
    for check in &table.checks {
        errors.extend(unknown_of_check(&at, check, dialect));
        let written = written(&check.name, "check", &check.expr);
        errors.extend(written.names_only(dialect, &names).err());
    }
    for key in &table.foreign_keys {
        errors.extend(unknown_of_key(&at, key, dialect));
    }
    for exclusion in &table.exclusions {
        let given = [("exclude", !dialect.capabilities().constraint_options)];
        errors.extend(unknown_options(
            &at,
            &exclusion.name,
            "constraints",
            &given,
            dialect,
        ));
        if let Some(predicate) = &exclusion.predicate {
            let written = written(&exclusion.name, "where", predicate);
            errors.extend(written.names_only(dialect, &names).err());
        }
        for element in &exclusion.elements {
            let operand = Exclusion::operand(element).map_or("", |(operand, _)| operand);
            let written = written(&exclusion.name, "elements", operand);
            let columns = dialect.columns_in_element(operand);
            errors.extend(written.allowed(columns, &names).err());
        }
    }
    for index in &table.indexes {
        errors.extend(unknown_of_index(&at, index, dialect));
        if let Some(predicate) = &index.predicate {
            let written = written(&index.name, "where", predicate);
            errors.extend(written.names_only(dialect, &names).err());
        }
        for element in &index.elements {
            let written = written(&index.name, "on", element);
            let columns = dialect.columns_in_element(element);
            errors.extend(written.allowed(columns, &names).err());
        }
    }
    errors
}

fn auto_of_another_type(table: &Table, column: &Column, dialect: &Dialect) -> Option<ChangeError> {
    let types = dialect.auto_types_beside(column)?.join(", ");
    Some(ChangeError::Declaration {
        at: Box::new(Place {
            table: table.name.clone(),
            source: column.source.clone(),
        }),
        subject: format!("{}.{}", table.name, column.name),
        problem: format!(
            "an `auto` column of type {} is none that {} counts: the table could not be created",
            dialect.type_of(column),
            dialect.vendor()
        ),
        way_on: format!("Leave `sql_type` out, or make it {types}"),
    })
}

/// What is declared of an index or a constraint and the database does not know.
fn unknown_options(
    at: &Place,
    subject: &str,
    kind: &str,
    given: &[(&str, bool)],
    dialect: &Dialect,
) -> Option<ChangeError> {
    let given = given.iter();
    let words: Vec<&str> = given
        .filter_map(|(word, is_given)| is_given.then_some(*word))
        .collect();
    (!words.is_empty()).then(|| ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: subject.to_owned(),
        problem: format!(
            "{} has no {kind} with `{}`",
            dialect.vendor(),
            words.join("`, `")
        ),
        way_on: "Leave that out".to_owned(),
    })
}

fn unknown_of_index(at: &Place, index: &Index, dialect: &Dialect) -> Option<ChangeError> {
    if dialect.capabilities().index_options {
        return None;
    }
    let given = [
        ("using", index.method.is_some()),
        ("include", !index.include.is_empty()),
        ("nulls_not_distinct", index.nulls_not_distinct),
        ("with", index.storage.is_some()),
    ];
    unknown_options(at, &index.name, "indexes", &given, dialect)
}

fn unknown_of_unique(at: &Place, unique: &Unique, dialect: &Dialect) -> Option<ChangeError> {
    if dialect.capabilities().constraint_options {
        return None;
    }
    let given = [
        ("include", !unique.include.is_empty()),
        ("nulls_not_distinct", unique.nulls_not_distinct),
        ("deferrable", unique.deferrable),
    ];
    unknown_options(at, &unique.name, "unique constraints", &given, dialect)
}

fn unknown_of_check(at: &Place, check: &Check, dialect: &Dialect) -> Option<ChangeError> {
    if dialect.capabilities().constraint_options {
        return None;
    }
    let given = [
        ("not_valid", check.not_valid),
        ("no_inherit", check.no_inherit),
    ];
    unknown_options(at, &check.name, "checks", &given, dialect)
}

fn unknown_of_key(at: &Place, key: &ForeignKey, dialect: &Dialect) -> Option<ChangeError> {
    if dialect.capabilities().constraint_options {
        return None;
    }
    let given = [
        ("match_full", key.match_full),
        ("not_valid", key.not_valid),
        (
            "on_delete = \"set … (…)\"",
            !key.on_delete_columns.is_empty(),
        ),
    ];
    unknown_options(at, &key.name, "foreign keys", &given, dialect)
}

fn counted_beside_the_key(
    table: &Table,
    column: &Column,
    dialect: &Dialect,
) -> Option<ChangeError> {
    let beside = column.auto && !table.primary_key.contains(&column.name);
    (beside && !dialect.capabilities().counts_beside_the_key).then(|| ChangeError::Declaration {
        at: Box::new(Place {
            table: table.name.clone(),
            source: column.source.clone(),
        }),
        subject: format!("{}.{}", table.name, column.name),
        problem: format!("{} counts no other column than the key", dialect.vendor()),
        way_on: "Make it the key, or let the application give the numbers".to_owned(),
    })
}

fn array_of_texts(table: &Table, column: &Column, dialect: &Dialect) -> Option<ChangeError> {
    let is_array = column.logical_type == LogicalType::Enum
        && column
            .sql_type
            .as_deref()
            .is_some_and(|name| name.ends_with("[]"));
    (is_array && !dialect.capabilities().enum_types).then(|| ChangeError::Declaration {
        at: Box::new(Place {
            table: table.name.clone(),
            source: column.source.clone(),
        }),
        subject: format!("{}.{}", table.name, column.name),
        problem: format!("{} has no arrays", dialect.vendor()),
        way_on: "Keep the values in a table of their own".to_owned(),
    })
}

fn computed_when_read(table: &Table, column: &Column, dialect: &Dialect) -> Option<ChangeError> {
    let refused = column.is_virtual && !dialect.capabilities().virtual_columns;
    refused.then(|| ChangeError::Declaration {
        at: Box::new(Place {
            table: table.name.clone(),
            source: column.source.clone(),
        }),
        subject: format!("{}.{}", table.name, column.name),
        problem: format!(
            "{} stores every generated column; virtual ones need a later version of it than the generated SQL is for",
            dialect.vendor()
        ),
        way_on: "Leave `virtual` out".to_owned(),
    })
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
