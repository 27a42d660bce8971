//! Indexes and checks as attributes.

use zdm_model::{Check, Index, Table};

use super::left_out::{Kind, LeftOut};
use super::names::Given;
use crate::catalogue;
use crate::dialect::Dialect;

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
        match whole(index, table, dialect) {
            Ok(columns) => {
                if constraint == Some("unique") {
                    let reason = "it is a unique index in the models; dropping it takes ALTER TABLE … DROP CONSTRAINT";
                    left_out.push(LeftOut::new(Kind::Differs, what, object, reason));
                }
                table.indexes.push(Index {
                    name: index.name.clone(),
                    columns,
                    unique: index.unique,
                    predicate: index.predicate.clone(),
                    ..Index::default()
                });
            }
            Err(reason) => {
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

/// The index's columns, where that and its predicate is all there is to it; or what else there is.
fn whole(
    index: &catalogue::Index,
    table: &Table,
    dialect: &Dialect,
) -> Result<Vec<String>, String> {
    let mut more: Vec<String> = index.unusual.clone();
    if index.method != "btree" {
        more.push(format!("the method {}", index.method));
    }
    if !index.included.is_empty() {
        more.push(format!("INCLUDE ({})", index.included.join(", ")));
    }
    for part in &index.parts {
        let of = part.column.as_ref().map(|column| format!(" of {column}"));
        let of = of.unwrap_or_default();
        more.extend(part.unusual.iter().map(|word| format!("{word}{of}")));
    }
    if index.constraint.as_deref() == Some("unique") && dialect.name() == "sqlite" {
        more.push(
            "UNIQUE in the table's own definition, which is no index that could be dropped"
                .to_owned(),
        );
    }
    let columns: Vec<String> = index
        .parts
        .iter()
        .filter_map(|part| part.column.clone())
        .collect();
    for column in &columns {
        if table.column(column).is_none() {
            more.push(format!(
                "the column {column}, which the struct goes without"
            ));
        }
    }
    if let Some(predicate) = &index.predicate {
        more.extend(not_understood(predicate, table, dialect));
    }
    if more.is_empty() {
        Ok(columns)
    } else {
        Err(format!("no attribute says {}", more.join(", ")))
    }
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
        more.extend(not_understood(&check.expr, table, dialect));
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
fn not_understood(expression: &str, table: &Table, dialect: &Dialect) -> Option<String> {
    match dialect.columns_in(expression) {
        Ok(columns) => {
            let unknown = columns
                .into_iter()
                .find(|name| table.column(name).is_none())?;
            Some(format!(
                "a condition on {unknown}, which is no column of the struct: {expression}"
            ))
        }
        Err(error) => Some(format!("its condition: {error}")),
    }
}
