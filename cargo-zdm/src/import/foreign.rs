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
                on_delete_columns: key.on_delete_columns.clone(),
                on_update: key.on_update.clone(),
                match_full: key.match_full,
                deferrable: key.deferrable,
                initially_deferred: key.initially_deferred,
                not_valid: key.not_valid,
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
    let all = key.on_delete_columns.is_empty();
    for name in &key.columns {
        let Some(column) = table.column(name) else {
            more.push(format!("the column {name}, which the struct goes without"));
            continue;
        };
        let deleted = all || key.on_delete_columns.contains(name);
        let actions = [
            key.on_delete.as_deref().filter(|_| deleted),
            key.on_update.as_deref(),
        ];
        for action in actions.into_iter().flatten() {
            if action == "set null" && !column.nullable {
                more.push(format!("SET NULL for {name}, which is never NULL"));
            }
            if action == "set default" && column.default.is_none() {
                more.push(format!("SET DEFAULT for {name}, which has no default"));
            }
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
