//! Indexes and checks as attributes.

use std::collections::BTreeSet;

use zdm_model::{Check, Index, Table};

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
    for index in &found.indexes {
        let constraint = index.constraint.as_deref();
        if constraint == Some("primary key") && is_key(index, table) {
            continue;
        }
        let what = match constraint {
            Some(constraint) => format!("{constraint} constraint"),
            None => "index".to_owned(),
        };
        let object = format!("{}.{}", table.name, index.name);
        match more(index, table, dialect) {
            None => {
                if constraint == Some("unique") {
                    let reason = "it is a unique index in the models; dropping it takes ALTER TABLE … DROP CONSTRAINT";
                    left_out.push(LeftOut::new(Kind::Differs, what, object, reason));
                }
                table.indexes.push(as_declared(index, dialect));
            }
            Some(reason) => {
                left_out.push(LeftOut::new(Kind::NotRepresentable, what, object, reason));
            }
        }
    }
    table
        .indexes
        .sort_by(|left, right| left.name.cmp(&right.name));
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

/// What there is to an index beyond what an attribute says.
fn more(index: &catalogue::Index, table: &Table, dialect: &Dialect) -> Option<String> {
    if index.constraint.as_deref() == Some("exclusion") {
        return Some("no attribute says an exclusion".to_owned());
    }
    let mut more: Vec<String> = index.unusual.clone();
    if index.constraint.as_deref() == Some("unique") && dialect.name() == "sqlite" {
        more.push(
            "UNIQUE in the table's own definition, which is no index that could be dropped"
                .to_owned(),
        );
    }
    for part in &index.parts {
        match &part.element {
            Some(element) => more.extend(not_understood(
                dialect.columns_in_element(element),
                element,
                table,
            )),
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
