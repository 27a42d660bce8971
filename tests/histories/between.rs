//! The versions that a person makes of a step which one version refuses: each says "in a version of its own".

use zdm_model::{Column, ForeignKey, Schema, Table};

use super::enums;
use super::history::{Step, in_words};

/// The versions on the way, each with what is renamed in it; the last one is `after`.
pub(crate) fn versions(before: &Schema, after: &Schema, step: &Step) -> Vec<(Schema, Step)> {
    let changes = |table: &str, column: &Column| {
        let new = after
            .tables
            .iter()
            .find(|new| step.old_table(&new.name) == table);
        let mut columns = new
            .into_iter()
            .flat_map(|new| new.columns.iter().map(move |now| (new, now)));
        let now = columns.find(|(new, now)| step.old_column(&new.name, &now.name) == column.name);
        now.is_some_and(|(_, now)| {
            now.name != column.name
                || (&now.sql_type, now.logical_type) != (&column.sql_type, column.logical_type)
        })
    };
    let more = enums::with_new_values(before, after);
    let others = enums::with_other_values(&more, after);
    let dropped = without_taken_names(&others, after, step);
    let mut still = dropped.clone();
    let mut names: Vec<String> = Vec::new();
    for table in &mut still.tables {
        let moved: Vec<String> = table
            .columns
            .iter()
            .filter(|column| changes(&table.name, column))
            .map(|column| column.name.clone())
            .collect();
        for key in &mut table.foreign_keys {
            if moved.iter().any(|column| key.sets(column).is_some()) {
                names.push(key.name.clone());
                without_actions(key);
            }
        }
    }
    let of_key = |table: &Table, old: &str| table.primary_key.iter().any(|key| key == old);
    let keys = with_columns_renamed(&still, after, step, &of_key);
    let columns = with_columns_renamed(&keys.0, after, step, &|_, _| true);
    let chained = with_columns_renamed(&columns.0, after, step, &|_, _| true);
    let renamed = (
        with_tables_renamed(&chained.0, after, step),
        step.renaming_tables(),
    );
    // What stands on a key that changes comes back when the new one is there.
    let mut keyed = after.clone();
    let with_new_keys: Vec<String> = after
        .tables
        .iter()
        .filter(|now| {
            let there = renamed.0.table(&now.name);
            there.is_some_and(|there| there.primary_key != now.primary_key)
        })
        .map(|table| table.name.clone())
        .collect();
    for table in &mut keyed.tables {
        table
            .foreign_keys
            .retain(|key| !with_new_keys.contains(&key.references));
    }
    let mut filled = keyed.clone();
    for table in &mut filled.tables {
        let keys = table.foreign_keys.iter_mut();
        let moved = keys.filter(|key| names.contains(&key.name));
        moved.for_each(without_actions);
        if let Some(there) = renamed.0.table(&table.name) {
            keep_key(there, table);
        }
    }
    let plain = step.without_renames();
    let mut versions = vec![
        (more, plain.clone()),
        (others, plain.clone()),
        (dropped, plain.clone()),
        (still, plain.clone()),
        keys,
        columns,
        chained,
        renamed,
        (filled, plain.clone()),
        (keyed, plain.clone()),
        (after.clone(), plain),
    ];
    let mut last = before.clone();
    versions.retain(|(schema, _)| {
        let is_same = *schema == last;
        last.clone_from(schema);
        !is_same
    });
    versions
}

/// Without the columns that go and whose names others get.
fn without_taken_names(before: &Schema, after: &Schema, step: &Step) -> Schema {
    let mut schema = before.clone();
    for now in &after.tables {
        let old = step.old_table(&now.name);
        let Some(table) = schema.tables.iter_mut().find(|table| table.name == old) else {
            continue;
        };
        let was = |column: &Column| step.old_column(&now.name, &column.name).to_owned();
        let taken: Vec<String> = now
            .columns
            .iter()
            .filter(|column| was(column) != column.name)
            .map(|column| column.name.clone())
            .filter(|name| now.columns.iter().all(|column| was(column) != *name))
            .collect();
        table.columns.retain(|column| !taken.contains(&column.name));
        let stays = |columns: &[String]| columns.iter().all(|name| !taken.contains(name));
        table
            .indexes
            .retain(|index| stays(&index.columns) && stays(&index.include));
        table.uniques.retain(|unique| stays(&unique.columns));
        table.foreign_keys.retain(|key| stays(&key.columns));
    }
    schema
}

fn without_actions(key: &mut ForeignKey) {
    key.on_update = None;
    key.on_delete = key
        .on_delete
        .take()
        .filter(|action| !action.starts_with("set "));
    key.on_delete_columns.clear();
}

/// Keeps the old key, with its columns, where the new one has a column that the version itself brings, converts or fills.
fn keep_key(before: &Table, after: &mut Table) {
    let same = |name: &String| {
        let now = after.column(name).zip(before.column(name));
        now.is_some_and(|(now, was)| {
            !was.nullable && (&now.sql_type, now.logical_type) == (&was.sql_type, was.logical_type)
        })
    };
    if after.primary_key.iter().all(same) || before.primary_key.is_empty() {
        return;
    }
    let gone: Vec<Column> = before.key_columns().cloned().collect();
    for column in gone.into_iter().rev() {
        if after.column(&column.name).is_none() {
            after.columns.insert(0, column);
        }
    }
    after.primary_key.clone_from(&before.primary_key);
    after.no_primary_key = before.no_primary_key;
    after.primary_key_name.clone_from(&before.primary_key_name);
}

/// The version after those of the wanted columns are renamed whose new names are free, and what is renamed in it.
fn with_columns_renamed(
    before: &Schema,
    after: &Schema,
    step: &Step,
    wanted: &dyn Fn(&Table, &str) -> bool,
) -> (Schema, Step) {
    let mut schema = before.clone();
    let mut now = step.renaming_columns();
    now.renamed.retain(|renamed| {
        let table = before.table(&renamed.table);
        let name = renamed.column.as_deref().unwrap_or_default();
        table.is_some_and(|table| {
            table.column(name).is_none()
                && table.column(&renamed.old).is_some()
                && wanted(table, &renamed.old)
        })
    });
    for renamed in &now.renamed {
        let mut tables = after.tables.iter();
        let table = tables.find(|table| step.old_table(&table.name) == renamed.table);
        let name = renamed.column.as_deref().unwrap_or_default();
        let Some(column) = table.and_then(|table| table.column(name)) else {
            continue;
        };
        for table in &mut schema.tables {
            let keys = table.foreign_keys.iter_mut();
            for key in keys.filter(|key| key.references == renamed.table) {
                rename_all(&mut key.referenced_columns, &renamed.old, name);
            }
            if table.name == renamed.table {
                rename_column(table, &renamed.old, column);
            }
        }
    }
    (schema, now)
}

/// The same under the names that its tables get.
fn with_tables_renamed(before: &Schema, after: &Schema, step: &Step) -> Schema {
    let mut schema = before.clone();
    for now in &after.tables {
        let old = step.old_table(&now.name);
        if old == now.name || schema.table(old).is_none() {
            continue;
        }
        let tables = schema.tables.iter_mut();
        for key in tables.flat_map(|table| &mut table.foreign_keys) {
            if key.references == old {
                key.references.clone_from(&now.name);
            }
        }
        for table in schema.tables.iter_mut().filter(|table| table.name == old) {
            if table.primary_key_name.is_none() && !table.no_primary_key {
                table.primary_key_name = Some(format!("{old}_pkey"));
            }
            table.name.clone_from(&now.name);
        }
        schema
            .tables
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
    schema
}

fn rename_column(table: &mut Table, was: &str, now: &Column) {
    let one = |text: &mut String| *text = in_words(text, was, &now.name);
    for column in &mut table.columns {
        if column.name == was {
            column.name.clone_from(&now.name);
            column.field.clone_from(&now.field);
        }
        column.generated.iter_mut().for_each(one);
    }
    rename_all(&mut table.primary_key, was, &now.name);
    for index in &mut table.indexes {
        rename_all(&mut index.columns, was, &now.name);
        rename_all(&mut index.include, was, &now.name);
        index.elements.iter_mut().for_each(one);
        index.predicate.iter_mut().for_each(one);
    }
    for unique in &mut table.uniques {
        rename_all(&mut unique.columns, was, &now.name);
        rename_all(&mut unique.include, was, &now.name);
    }
    table
        .checks
        .iter_mut()
        .for_each(|check| one(&mut check.expr));
    for exclusion in &mut table.exclusions {
        exclusion.elements.iter_mut().for_each(one);
        exclusion.predicate.iter_mut().for_each(one);
    }
    for key in &mut table.foreign_keys {
        rename_all(&mut key.columns, was, &now.name);
        rename_all(&mut key.on_delete_columns, was, &now.name);
    }
}

fn rename_all(names: &mut [String], was: &str, now: &str) {
    for name in names.iter_mut().filter(|name| *name == was) {
        now.clone_into(name);
    }
}
