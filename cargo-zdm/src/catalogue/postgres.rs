//! PostgreSQL's catalogue (manual, "System Catalogs").

mod questions;
mod scope;

use serde::Deserialize;
use zdm_runtime::database::{Connection, Value};

use self::questions::{
    CHECKS, COLUMNS, ENUMS, FOREIGN_KEYS, INDEXES, ON_TABLES, OTHERS, PATH, TABLES,
};
pub(super) use self::scope::Scope;
use super::definition::{collapsed, elements, is_name, unwrapped};
use super::objects;
use super::{
    Catalogue, CatalogueError, Check, Column, Enum, ForeignKey, Index, IndexPart, Other, Schemas,
    Table,
};

#[derive(Deserialize)]
struct TableRow {
    name: String,
    special: Option<String>,
    unlogged: bool,
    security: bool,
    comment: Option<String>,
    options: Option<String>,
}

#[derive(Deserialize)]
struct ColumnRow {
    table: String,
    column: Column,
}

#[derive(Deserialize)]
struct IndexRow {
    table: String,
    name: String,
    unique: bool,
    predicate: Option<String>,
    method: String,
    constraint: Option<String>,
    deferrable: bool,
    initially_deferred: bool,
    keys: usize,
    nulls_not_distinct: bool,
    storage: Option<String>,
    definition: String,
    unusual: Vec<String>,
    parts: Vec<IndexPart>,
}

#[derive(Deserialize)]
struct CheckRow {
    table: String,
    name: String,
    expr: String,
    not_valid: bool,
    no_inherit: bool,
    unusual: Vec<String>,
}

#[derive(Deserialize)]
struct KeyRow {
    table: String,
    key: ForeignKey,
}

#[derive(Deserialize)]
struct OnTableRow {
    table: String,
    what: String,
    object: String,
}

pub(super) async fn read(
    connection: &mut Connection,
    wanted: &Schemas,
) -> Result<Catalogue, CatalogueError> {
    let path = connection.query_file(PATH, &[]).await?;
    let mut path = path.iter().filter_map(|row| match row.as_slice() {
        [Value::Text(name)] => name.clone(),
        _ => None,
    });
    let schema = path.next().ok_or(CatalogueError::NoSchema)?;
    let scope = Scope::of(connection, wanted).await?;
    let mut tables: Vec<TableRow> = objects(connection, "tables", &scope.asked(TABLES)).await?;
    tables.sort_by(|left, right| left.name.cmp(&right.name));
    let mut enums: Vec<Enum> = objects(connection, "enums", &scope.asked(ENUMS)).await?;
    enums.sort_by(|left, right| left.name.cmp(&right.name));
    let mut catalogue = Catalogue {
        schema,
        path: path.collect(),
        tables: tables.into_iter().map(table).collect(),
        enums,
        others: objects(connection, "other objects", &scope.asked(OTHERS)).await?,
    };
    for row in objects::<ColumnRow>(connection, "columns", &scope.asked(COLUMNS)).await? {
        if let Some(table) = catalogue.table_mut(&row.table) {
            let mut column = row.column;
            column.default = column.default.as_deref().map(expression);
            column.generated = column.generated.as_deref().map(expression);
            table.columns.push(column);
        }
    }
    for row in objects::<IndexRow>(connection, "indexes", &scope.asked(INDEXES)).await? {
        if let Some(table) = catalogue.table_mut(&row.table) {
            table.indexes.push(index(row));
        }
    }
    for row in objects::<CheckRow>(connection, "checks", &scope.asked(CHECKS)).await? {
        if let Some(table) = catalogue.table_mut(&row.table) {
            table.checks.push(Check {
                name: Some(row.name),
                expr: expression(&row.expr),
                not_valid: row.not_valid,
                no_inherit: row.no_inherit,
                unusual: row.unusual,
            });
        }
    }
    for row in objects::<KeyRow>(connection, "foreign keys", &scope.asked(FOREIGN_KEYS)).await? {
        if let Some(table) = catalogue.table_mut(&row.table) {
            table.foreign_keys.push(row.key);
        }
    }
    for row in objects::<OnTableRow>(connection, "tables' objects", &scope.asked(ON_TABLES)).await?
    {
        if let Some(table) = catalogue.table_mut(&row.table) {
            let object = match row.object.as_str() {
                "" => row.table,
                object => format!("{}.{object}", row.table),
            };
            table.others.push(Other {
                what: row.what,
                object,
            });
        }
    }
    Ok(catalogue)
}

/// The server prints some expressions on several lines.
fn expression(text: &str) -> String {
    collapsed(unwrapped(text))
}

fn table(row: TableRow) -> Table {
    let unlogged = row.unlogged.then(|| "UNLOGGED".to_owned());
    let security = row.security.then(|| "row level security".to_owned());
    let options = row.options.map(|options| format!("WITH ({options})"));
    let others = [unlogged, security, options].into_iter().flatten();
    Table {
        others: others
            .map(|what| Other {
                what,
                object: row.name.clone(),
            })
            .collect(),
        name: row.name,
        special: row.special,
        comment: row.comment,
        ..Table::default()
    }
}

fn index(mut row: IndexRow) -> Index {
    let included = row.parts.split_off(row.keys.min(row.parts.len()));
    for (part, element) in row.parts.iter_mut().zip(elements(&row.definition)) {
        let alone = |column: &String| is_name(&element, column);
        part.element = (!part.column.as_ref().is_some_and(alone)).then_some(element);
    }
    Index {
        name: row.name,
        parts: row.parts,
        included: included
            .into_iter()
            .filter_map(|part| part.column)
            .collect(),
        unique: row.unique,
        predicate: row.predicate.as_deref().map(expression),
        method: row.method,
        nulls_not_distinct: row.nulls_not_distinct,
        storage: row.storage,
        constraint: row.constraint,
        deferrable: row.deferrable,
        initially_deferred: row.initially_deferred,
        unusual: row.unusual,
    }
}
