//! Foreign keys as attributes: those between tables that the models have.

use zdm_model::{ForeignKey, Table};

use super::left_out::{Kind, LeftOut};
use super::names::Given;
use crate::catalogue;

/// Every foreign key that an attribute says whole.
pub(super) fn keys(
    found: &catalogue::Table,
    table: &mut Table,
    tables: &[Table],
    left_out: &mut Vec<LeftOut>,
) {
    let mut given = Given::default();
    for name in found.foreign_keys.iter().filter_map(|key| key.name.clone()) {
        given.free(&name);
    }
    for key in &found.foreign_keys {
        let name = key.name.clone().unwrap_or_else(|| {
            given.free(&zdm_model::names::constraint_name(
                "fk",
                &table.name,
                &key.columns,
            ))
        });
        let more = more(key, table, tables);
        if more.is_empty() {
            table.foreign_keys.push(ForeignKey {
                name,
                columns: key.columns.clone(),
                references: key.references.clone(),
                referenced_columns: key.referenced_columns.clone(),
                on_delete: key.on_delete.clone(),
            });
        } else {
            left_out.push(LeftOut::new(
                Kind::NotRepresentable,
                "foreign key",
                format!("{}.{name}", table.name),
                format!("no attribute says {}", more.join(", ")),
            ));
        }
    }
    table
        .foreign_keys
        .sort_by(|left, right| left.name.cmp(&right.name));
}

/// What there is to a foreign key beyond what an attribute says.
fn more(key: &catalogue::ForeignKey, table: &Table, tables: &[Table]) -> Vec<String> {
    let mut more = key.unusual.clone();
    for name in &key.columns {
        match (table.column(name), key.on_delete.as_deref()) {
            (None, _) => more.push(format!("the column {name}, which the struct goes without")),
            (Some(column), Some("set null")) if !column.nullable => {
                more.push(format!("SET NULL for {name}, which is never NULL"));
            }
            (Some(column), Some("set default")) if column.default.is_none() => {
                more.push(format!("SET DEFAULT for {name}, which has no default"));
            }
            _ => {}
        }
    }
    match tables.iter().find(|other| other.name == key.references) {
        None => more.push(format!(
            "a reference to {}, which has no struct",
            key.references
        )),
        Some(other) if !other.is_unique(&key.referenced_columns) => more.push(format!(
            "a reference to {}({}), whose unique key is not in the models",
            key.references,
            key.referenced_columns.join(", ")
        )),
        Some(_) => {}
    }
    let mut names = key.referenced_columns.iter().chain([&key.references]);
    if names.any(|name| name.contains(['(', ')', ',']) || name.trim() != name) {
        more.push("a reference to such a name".to_owned());
    }
    more
}
