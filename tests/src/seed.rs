//! Rows for the tables of a case.

use cargo_zdm::dialect::Dialect;
use zdm_model::{Column, LogicalType, Schema, Table};
use zdm_runtime::database::Connection;

/// More than nine, so that keys ordered as text would show.
pub const ROWS: i64 = 12;

/// Rows whose every value is their number, which is a valid text, number and key.
///
/// # Panics
///
/// Where the database refuses them.
pub async fn seed(connection: &mut Connection, schema: &Schema, dialect: &Dialect) {
    seed_rows(connection, schema, dialect, ROWS).await;
}

/// The first value of the column's enum.
fn value(column: &Column, schema: &Schema) -> String {
    let found = schema.enums.iter().find(|found| found.is_type_of(column));
    let value = &found.expect("its enum is in the schema").values[0];
    let array = column
        .sql_type
        .as_deref()
        .is_some_and(|name| name.ends_with("[]"));
    format!(
        "'{}'",
        if array {
            format!("{{{value}}}")
        } else {
            value.clone()
        }
    )
}

/// Whether its table and another one refer to each other, by it on one side.
fn closes_circle(column: &Column, table: &Table, schema: &Schema) -> bool {
    let mut keys = table.foreign_keys.iter();
    keys.any(|key| {
        let others = schema
            .tables
            .iter()
            .filter(|other| other.name != table.name);
        let mut parents = others.filter(|other| other.name == key.references);
        let back = |parent: &Table| {
            let mut keys = parent.foreign_keys.iter();
            keys.any(|key| key.references == table.name)
        };
        column.nullable && key.columns.contains(&column.name) && parents.any(back)
    })
}

/// As many of them as a test needs.
///
/// # Panics
///
/// As [`seed`].
pub async fn seed_rows(connection: &mut Connection, schema: &Schema, dialect: &Dialect, rows: i64) {
    let mut tables: Vec<&Table> = schema.tables.iter().collect();
    tables.sort_by_key(|table| table.foreign_keys.len());
    for table in tables {
        let columns: Vec<&Column> = table
            .written_columns()
            .filter(|column| !column.auto)
            .collect();
        let names: Vec<String> = columns
            .iter()
            .map(|column| dialect.ident(&column.name))
            .collect();
        for row in 1..=rows {
            let values: Vec<String> = columns
                .iter()
                .map(|column| match column.logical_type {
                    _ if closes_circle(column, table, schema) => "NULL".to_owned(),
                    LogicalType::Text => format!("'{row}'"),
                    LogicalType::Json => format!("'{{\"kind\": \"{row}\"}}'"),
                    LogicalType::Enum => value(column, schema),
                    _ => row.to_string(),
                })
                .collect();
            let sql = format!(
                "INSERT INTO {} ({}) VALUES ({})",
                dialect.relation(&table.name),
                names.join(", "),
                values.join(", ")
            );
            connection
                .execute_file(&sql, &[])
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}
