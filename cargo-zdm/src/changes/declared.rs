//! What is declared now, whatever was before: its expressions, and what the database does not know.
//!
//! Must not know: what changes.

use zdm_model::{
    Check, Column, Exclusion, ForeignKey, Index, LogicalType, Schema, Table, Unique, names,
};

use super::ChangeError;
use super::expressions::Written;
use crate::dialect::Dialect;
use crate::diff::Place;

/// Defaults, checks and predicates of what is declared now: each an expression of the dialect over its own table.
pub(crate) fn check_schema(schema: &Schema, dialect: &Dialect) -> Vec<ChangeError> {
    let placed = placed(schema).filter_map(|(name, source)| without_schemas(name, source, dialect));
    let tables = schema.tables.iter();
    placed
        .chain(tables.flat_map(|table| check_table(table, dialect)))
        .collect()
}

/// Everything that may name a schema of its own, with its source.
fn placed(schema: &Schema) -> impl Iterator<Item = (&str, &str)> {
    let tables = schema.tables.iter();
    let enums = schema.enums.iter();
    tables
        .map(|table| (table.name.as_str(), table.source.as_str()))
        .chain(enums.map(|found| (found.name.as_str(), found.source.as_str())))
}

fn without_schemas(name: &str, source: &str, dialect: &Dialect) -> Option<ChangeError> {
    let schema = names::schema_of(name).filter(|_| !dialect.capabilities().schemas)?;
    Some(ChangeError::Declaration {
        at: Box::new(Place {
            table: name.to_owned(),
            source: source.to_owned(),
        }),
        subject: name.to_owned(),
        problem: format!(
            "it is declared in the schema `{schema}`, and {} has one for all tables of a file",
            dialect.vendor()
        ),
        way_on: "Leave `schema` out, or put its tables into a file and a project of their own"
            .to_owned(),
    })
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
                .or_else(|| computed_in_key(table, column, dialect))
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
        errors.extend(kept_once(&at, table, unique, dialect));
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

/// Where constraints are part of the table's statement, those that say the same become one.
fn kept_once(at: &Place, table: &Table, unique: &Unique, dialect: &Dialect) -> Option<ChangeError> {
    let repeats = unique.repeats(table) && !dialect.capabilities().alter_in_place;
    repeats.then(|| ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: unique.name.clone(),
        problem: format!(
            "it says what the key or another unique constraint says, and {} keeps one of them",
            dialect.vendor()
        ),
        way_on: "Remove it".to_owned(),
    })
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

/// Writes find a row by the columns of the key that they write, which have to tell the computed one as well.
fn computed_in_key(table: &Table, column: &Column, dialect: &Dialect) -> Option<ChangeError> {
    let (key, expression) = (&table.primary_key, column.generated.as_ref()?);
    if !key.contains(&column.name) {
        return None;
    }
    let named = dialect.columns_in(expression).ok()?;
    let other = named
        .iter()
        .find(|name| **name == column.name || !key.contains(name));
    let (problem, way_on) = if !dialect.capabilities().computed_keys {
        (
            format!("{} has no computed columns in a key", dialect.vendor()),
            "Leave it out of the key".to_owned(),
        )
    } else if let Some(other) = other {
        (
            format!(
                "it is part of the key and computed from `{other}`, which is not: a write of that would move the row"
            ),
            "Compute it from other columns of the key alone, or leave it out of the key".to_owned(),
        )
    } else if named.is_empty() {
        (
            "it is part of the key and the same for all rows".to_owned(),
            "Leave it out of the key".to_owned(),
        )
    } else {
        return None;
    };
    Some(ChangeError::Declaration {
        at: Box::new(Place {
            table: table.name.clone(),
            source: column.source.clone(),
        }),
        subject: format!("{}.{}", table.name, column.name),
        problem,
        way_on,
    })
}
