//! Indexes, unique constraints and checks as attributes.

use std::collections::BTreeSet;

use zdm_model::{Check, Exclusion, Index, Table, Unique};

use super::left_out::{Kind, LeftOut};
use super::names::Given;
use crate::catalogue;
use crate::dialect::{Dialect, ExpressionError};

/// Every index that an attribute says whole.
pub(super) fn indexes(
    found: &catalogue::Table,
    table: &mut Table,
    dialect: &Dialect,
    left_out: &mut Vec<LeftOut>,
) {
    let mut given = Given::default();
    for index in &found.indexes {
        given.free(&index.name);
    }
    for index in &found.indexes {
        let constraint = index.constraint.as_deref();
        let called = table.primary_key_name.as_ref() == Some(&index.name);
        if called || (constraint == Some("primary key") && is_key(index, table)) {
            continue;
        }
        let what = match constraint {
            Some(constraint) => format!("{constraint} constraint"),
            None => "index".to_owned(),
        };
        let object = format!("{}.{}", table.name, index.name);
        if let Some(reason) = more(index, table, dialect) {
            left_out.push(LeftOut::new(Kind::NotRepresentable, what, object, reason));
        } else if constraint == Some("unique") {
            let name = named(index, table, &mut given);
            if name != index.name {
                let reason = "it has no name in the database; the models need one";
                let object = format!("{}.{name}", table.name);
                left_out.push(LeftOut::new(Kind::Differs, &what, object, reason));
            }
            let unique = as_constraint(index, name);
            if unique.repeats(table) && !dialect.capabilities().alter_in_place {
                let reason = "it says what the key or another unique constraint says";
                left_out.push(LeftOut::new(Kind::NotRepresentable, what, object, reason));
            } else {
                table.uniques.push(unique);
            }
        } else if constraint == Some("exclusion") {
            table.exclusions.push(as_exclusion(index));
        } else {
            table.indexes.push(as_declared(index, dialect));
        }
    }
    table
        .exclusions
        .sort_by(|left, right| left.name.cmp(&right.name));
    table
        .indexes
        .sort_by(|left, right| left.name.cmp(&right.name));
    table
        .uniques
        .sort_by(|left, right| left.name.cmp(&right.name));
}

/// The constraint's name, or what a struct would call it where SQLite numbers its index.
fn named(index: &catalogue::Index, table: &Table, given: &mut Given) -> String {
    if !index.name.starts_with("sqlite_autoindex_") {
        return index.name.clone();
    }
    let columns: Vec<String> = index
        .parts
        .iter()
        .filter_map(|part| part.column.clone())
        .collect();
    given.free(&zdm_model::names::constraint_name(
        "uq",
        &table.name,
        &columns,
    ))
}

fn is_key(index: &catalogue::Index, table: &Table) -> bool {
    let columns: Vec<_> = index
        .parts
        .iter()
        .filter_map(|part| part.column.as_ref())
        .collect();
    columns == table.primary_key.iter().collect::<Vec<_>>()
}

/// The index as an attribute says it: over columns, or over elements where one of them is more than a column.
fn as_declared(index: &catalogue::Index, dialect: &Dialect) -> Index {
    let plain = index.parts.iter().all(|part| part.element.is_none());
    let columns = index.parts.iter().filter_map(|part| part.column.clone());
    let element = |part: &catalogue::IndexPart| {
        let name = part.column.as_deref().unwrap_or_default();
        let element = part.element.clone();
        element.unwrap_or_else(|| dialect.ident(name))
    };
    Index {
        name: index.name.clone(),
        columns: columns.filter(|_| plain).collect(),
        elements: if plain {
            Vec::new()
        } else {
            index.parts.iter().map(element).collect()
        },
        method: (index.method != "btree").then(|| index.method.clone()),
        include: index.included.clone(),
        nulls_not_distinct: index.nulls_not_distinct,
        storage: index.storage.clone(),
        unique: index.unique,
        predicate: index.predicate.clone(),
    }
}

fn as_constraint(index: &catalogue::Index, name: String) -> Unique {
    let columns = index.parts.iter().filter_map(|part| part.column.clone());
    Unique {
        name,
        columns: columns.collect(),
        include: index.included.clone(),
        nulls_not_distinct: index.nulls_not_distinct,
        deferrable: index.deferrable,
        initially_deferred: index.initially_deferred,
    }
}

/// Its elements have their operators.
fn as_exclusion(index: &catalogue::Index) -> Exclusion {
    let elements = index.parts.iter().filter_map(|part| part.element.clone());
    Exclusion {
        name: index.name.clone(),
        method: (index.method != "btree").then(|| index.method.clone()),
        elements: elements.collect(),
        predicate: index.predicate.clone(),
        deferrable: index.deferrable,
        initially_deferred: index.initially_deferred,
    }
}

/// What there is to an index beyond what an attribute says.
fn more(index: &catalogue::Index, table: &Table, dialect: &Dialect) -> Option<String> {
    let mut more: Vec<String> = index.unusual.clone();
    if index.constraint.as_deref() == Some("primary key") {
        more.push("a key that does not find every row at once".to_owned());
    }
    let excludes = index.constraint.as_deref() == Some("exclusion");
    if index.constraint.is_some() {
        let storage = index.storage.iter();
        more.extend(storage.map(|storage| format!("WITH ({storage})")));
    }
    if index.constraint.is_some() && !excludes {
        let parts = index.parts.iter();
        more.extend(parts.filter_map(|part| part.element.clone()));
    }
    if excludes && !index.included.is_empty() {
        more.push(format!("INCLUDE ({})", index.included.join(", ")));
    }
    for part in &index.parts {
        match &part.element {
            Some(element) => {
                let operand = Exclusion::operand(element).filter(|_| excludes);
                let operand = operand.map_or(element.as_str(), |(operand, _)| operand);
                let named = dialect.columns_in_element(operand);
                more.extend(not_understood(named, element, table));
            }
            None => more.extend(part.column.iter().filter_map(|name| missing(name, table))),
        }
    }
    more.extend(
        index
            .included
            .iter()
            .filter_map(|name| missing(name, table)),
    );
    if let Some(predicate) = &index.predicate {
        more.extend(not_understood(
            dialect.columns_in(predicate),
            predicate,
            table,
        ));
    }
    (!more.is_empty()).then(|| format!("no attribute says {}", more.join(", ")))
}

fn missing(column: &str, table: &Table) -> Option<String> {
    let is_missing = table.column(column).is_none();
    is_missing.then(|| format!("the column {column}, which the struct goes without"))
}

/// Every check that an attribute says whole.
pub(super) fn checks(
    found: &catalogue::Table,
    table: &mut Table,
    dialect: &Dialect,
    left_out: &mut Vec<LeftOut>,
) {
    let mut given = Given::default();
    let named: Vec<_> = found
        .checks
        .iter()
        .filter_map(|check| check.name.clone())
        .collect();
    for name in named {
        given.free(&name);
    }
    for check in &found.checks {
        let name = check.name.clone();
        let name = name.unwrap_or_else(|| given.free(&format!("{}_check", table.name)));
        let object = format!("{}.{name}", table.name);
        let mut more = check.unusual.clone();
        more.extend(not_understood(
            dialect.columns_in(&check.expr),
            &check.expr,
            table,
        ));
        if !more.is_empty() {
            let reason = format!("no attribute says {}", more.join(", "));
            left_out.push(LeftOut::new(
                Kind::NotRepresentable,
                "check",
                object,
                reason,
            ));
            continue;
        }
        if check.name.is_none() {
            let reason = "it has no name in the database; the models need one";
            left_out.push(LeftOut::new(Kind::Differs, "check", object, reason));
        }
        table.checks.push(Check {
            name,
            expr: check.expr.clone(),
            not_valid: check.not_valid,
            no_inherit: check.no_inherit,
        });
    }
    table
        .checks
        .sort_by(|left, right| left.name.cmp(&right.name));
}

/// Why an expression over the row is none that the models could hold.
fn not_understood(
    named: Result<BTreeSet<String>, ExpressionError>,
    expression: &str,
    table: &Table,
) -> Option<String> {
    match named {
        Ok(columns) => {
            let unknown = columns
                .into_iter()
                .find(|name| table.column(name).is_none())?;
            Some(format!(
                "{expression}: {unknown} is no column of the struct"
            ))
        }
        Err(error) => Some(error.to_string()),
    }
}
