//! SQLite's schema (manual, "The Schema Table" and "PRAGMA Statements").
//!
//! Pragmas know no checks, names of constraints or collations: these are read out of the tables' own text.

use std::collections::HashMap;

use serde::Deserialize;
use zdm_runtime::database::Connection;

use super::definition::{Definition, elements, predicate};
use super::{Catalogue, CatalogueError, Check, Column, Counted, ForeignKey, Index, IndexPart};
use super::{Other, Table, objects};

const TABLES: &str = "SELECT json_object('name', s.name, 'sql', s.sql, 'kind', l.type, 'strict', l.strict, 'without_rowid', l.wr)
    FROM pragma_table_list l JOIN sqlite_schema s ON s.name = l.name
    WHERE l.schema = 'main' AND s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY s.name";

const COLUMNS: &str = "SELECT json_object('table', s.name, 'name', c.name, 'type', c.type, 'not_null', c.\"notnull\",
        'default', c.dflt_value, 'key', c.pk, 'hidden', c.hidden)
    FROM sqlite_schema s JOIN pragma_table_xinfo(s.name) c WHERE s.type = 'table' ORDER BY s.name, c.cid";

const INDEXES: &str = "SELECT json_object('table', s.name, 'name', i.name, 'unique', i.\"unique\", 'origin', i.origin,
        'sql', (SELECT sql FROM sqlite_schema x WHERE x.type = 'index' AND x.name = i.name),
        'parts', json((SELECT json_group_array(json_object('column', p.name, 'descending', p.\"desc\", 'collation', p.coll))
            FROM (SELECT * FROM pragma_index_xinfo(i.name) WHERE key = 1 ORDER BY seqno) p)))
    FROM sqlite_schema s JOIN pragma_index_list(s.name) i WHERE s.type = 'table'";

const FOREIGN_KEYS: &str = "SELECT json_object('table', s.name, 'id', k.id, 'references', k.\"table\", 'from', k.\"from\", 'to', k.\"to\",
        'on_update', k.on_update, 'on_delete', k.on_delete, 'match', k.match)
    FROM sqlite_schema s JOIN pragma_foreign_key_list(s.name) k WHERE s.type = 'table' ORDER BY s.name, k.id DESC, k.seq";

const OTHERS: &str = "SELECT json_object('what', type, 'object', CASE type WHEN 'trigger' THEN tbl_name || '.' || name ELSE name END)
    FROM sqlite_schema WHERE type IN ('view', 'trigger')";

#[derive(Deserialize)]
struct TableRow {
    name: String,
    sql: Option<String>,
    kind: String,
    strict: i64,
    without_rowid: i64,
}

#[derive(Deserialize)]
struct ColumnRow {
    table: String,
    name: String,
    r#type: String,
    not_null: i64,
    default: Option<String>,
    key: usize,
    hidden: i64,
}

#[derive(Deserialize)]
struct IndexRow {
    table: String,
    name: String,
    unique: i64,
    origin: String,
    sql: Option<String>,
    parts: Vec<PartRow>,
}

#[derive(Deserialize)]
struct PartRow {
    column: Option<String>,
    descending: i64,
    collation: String,
}

#[derive(Deserialize)]
struct KeyRow {
    table: String,
    id: i64,
    references: String,
    from: String,
    to: Option<String>,
    on_update: String,
    on_delete: String,
    r#match: String,
}

pub(super) async fn read(connection: &mut Connection) -> Result<Catalogue, CatalogueError> {
    let mut catalogue = Catalogue {
        schema: "main".to_owned(),
        others: objects(connection, "views and triggers", OTHERS).await?,
        ..Catalogue::default()
    };
    let mut definitions = HashMap::new();
    let mut without_rowid = Vec::new();
    for row in objects::<TableRow>(connection, "tables", TABLES).await? {
        let definition = Definition::of(row.sql.as_deref().unwrap_or_default());
        if row.without_rowid == 1 {
            without_rowid.push(row.name.clone());
        }
        catalogue.tables.push(table(&row, &definition));
        definitions.insert(row.name, definition);
    }
    let columns: Vec<ColumnRow> = objects(connection, "columns", COLUMNS).await?;
    let keys = keys(&columns);
    for row in columns {
        let (Some(definition), Some(key)) = (definitions.get(&row.table), keys.get(&row.table))
        else {
            continue;
        };
        let alone = key.len() == 1 && !without_rowid.contains(&row.table);
        if let Some(table) = catalogue.table_mut(&row.table) {
            table.columns.push(column(row, definition, alone));
        }
    }
    for (name, columns) in &keys {
        if let Some(table) = catalogue.table_mut(name).filter(|_| !columns.is_empty()) {
            let given = definitions
                .get(name)
                .and_then(|definition| definition.key.clone());
            table.indexes.push(primary_key(name, given, columns));
        }
    }
    for row in objects::<IndexRow>(connection, "indexes", INDEXES).await? {
        if row.origin == "pk" {
            continue;
        }
        if let Some(table) = catalogue.table_mut(&row.table) {
            let definition = definitions.get(&row.table);
            let index = index(row, table, definition);
            table.indexes.push(index);
        }
    }
    let rows: Vec<KeyRow> = objects(connection, "foreign keys", FOREIGN_KEYS).await?;
    for part in rows.chunk_by(|left, right| left.table == right.table && left.id == right.id) {
        let name = &part[0].table;
        let mut key = foreign_key(part, &keys, definitions.get_mut(name));
        spell(&mut key, name, &catalogue);
        if let Some(table) = catalogue.table_mut(name) {
            table.foreign_keys.push(key);
        }
    }
    Ok(catalogue)
}

fn table(row: &TableRow, definition: &Definition) -> Table {
    let mut others = Vec::new();
    let mut say = |there: bool, what: &str| {
        if there {
            others.push(Other {
                what: what.to_owned(),
                object: row.name.clone(),
            });
        }
    };
    say(row.strict == 1, "STRICT");
    say(row.without_rowid == 1, "WITHOUT ROWID");
    say(definition.on_conflict, "ON CONFLICT");
    let checks = definition.checks.iter().map(|(name, expr)| Check {
        name: name.clone(),
        expr: expr.clone(),
        ..Check::default()
    });
    Table {
        name: row.name.clone(),
        special: match row.kind.as_str() {
            "virtual" => Some("it is a virtual table".to_owned()),
            "shadow" => Some("it belongs to a virtual table".to_owned()),
            _ => None,
        },
        checks: checks.collect(),
        others,
        ..Table::default()
    }
}

/// The key columns of each table, in key order.
fn keys(columns: &[ColumnRow]) -> HashMap<String, Vec<String>> {
    let mut keys: HashMap<String, Vec<(usize, String)>> = HashMap::new();
    for column in columns {
        let key = keys.entry(column.table.clone()).or_default();
        if column.key > 0 {
            key.push((column.key, column.name.clone()));
        }
    }
    let sorted = keys.into_iter().map(|(table, mut columns)| {
        columns.sort();
        let names = columns.into_iter().map(|(_, name)| name).collect();
        (table, names)
    });
    sorted.collect()
}

/// `alone`: a key of one column of a table with a rowid, which is the rowid itself where it is an INTEGER.
fn column(row: ColumnRow, definition: &Definition, alone: bool) -> Column {
    let of = |list: &[(String, String)]| {
        let found = list
            .iter()
            .find(|(column, _)| column.eq_ignore_ascii_case(&row.name));
        found.map(|(_, text)| text.clone())
    };
    let rowid = alone && row.key == 1 && row.r#type.eq_ignore_ascii_case("integer");
    let base = row.r#type.split('(').next().unwrap_or_default().trim();
    Column {
        base: base.to_lowercase(),
        kind: "base".to_owned(),
        nullable: row.not_null == 0 && !rowid,
        default: row.default.filter(|_| row.hidden == 0),
        counted: rowid.then_some(Counted::Rowid),
        generated: match row.hidden {
            0 => None,
            _ => Some(of(&definition.generated).unwrap_or_default()),
        },
        comment: None,
        // 3: stored (manual, "PRAGMA Statements", table_xinfo).
        is_virtual: row.hidden == 2,
        collation: of(&definition.collations)
            .filter(|collation| !collation.eq_ignore_ascii_case("binary")),
        name: row.name,
        sql_type: row.r#type,
    }
}

fn primary_key(table: &str, name: Option<String>, columns: &[String]) -> Index {
    let part = |column: &String| IndexPart {
        column: Some(column.clone()),
        element: None,
    };
    Index {
        name: name.unwrap_or_else(|| format!("{table}_pkey")),
        parts: columns.iter().map(part).collect(),
        unique: true,
        method: "btree".to_owned(),
        constraint: Some("primary key".to_owned()),
        ..Index::default()
    }
}

fn index(row: IndexRow, table: &Table, definition: Option<&Definition>) -> Index {
    let columns: Vec<&String> = row
        .parts
        .iter()
        .filter_map(|part| part.column.as_ref())
        .collect();
    let uniques = definition.iter().flat_map(|definition| &definition.uniques);
    let mut named = uniques.filter(|(_, names)| {
        names.len() == columns.len()
            && std::iter::zip(names, &columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
    });
    let name = match row.origin.as_str() {
        "u" => named.find_map(|(name, _)| name.clone()),
        _ => None,
    };
    let mut unusual = Vec::new();

    let elements = row.sql.as_deref().map(elements).unwrap_or_default();
    let mut part = |(place, part): (usize, PartRow)| {
        let column = table
            .columns
            .iter()
            .find(|column| Some(&column.name) == part.column.as_ref());
        let collation = column.map(|column| column.collation.as_deref().unwrap_or("BINARY"));
        let alone = part.descending == 0
            && collation.is_some_and(|own| part.collation.eq_ignore_ascii_case(own));
        if !alone && elements.is_empty() {
            unusual.push(format!("COLLATE {}", part.collation));
        }
        IndexPart {
            column: part.column,
            element: elements.get(place).filter(|_| !alone).cloned(),
        }
    };
    let parts = row.parts.into_iter().enumerate().map(&mut part).collect();
    Index {
        predicate: row.sql.as_deref().and_then(predicate),
        name: name.unwrap_or(row.name),
        parts,
        unusual,
        unique: row.unique == 1,
        method: "btree".to_owned(),
        constraint: (row.origin == "u").then(|| "unique".to_owned()),
        ..Index::default()
    }
}

/// Puts names as their owners spell them: a reference may be written in another case.
fn spell(key: &mut ForeignKey, table: &str, catalogue: &Catalogue) {
    let spelled = |table: &str, columns: &mut [String]| {
        let mut tables = catalogue.tables.iter();
        let table = tables.find(|found| found.name.eq_ignore_ascii_case(table))?;
        for column in columns {
            let mut found = table.columns.iter();
            if let Some(found) = found.find(|found| found.name.eq_ignore_ascii_case(column)) {
                column.clone_from(&found.name);
            }
        }
        Some(table.name.clone())
    };
    spelled(table, &mut key.columns);
    if let Some(name) = spelled(&key.references, &mut key.referenced_columns) {
        key.references = name;
    }
}

fn foreign_key(
    rows: &[KeyRow],
    keys: &HashMap<String, Vec<String>>,
    definition: Option<&mut Definition>,
) -> ForeignKey {
    let first = &rows[0];
    let columns: Vec<String> = rows.iter().map(|row| row.from.clone()).collect();
    let named: Option<Vec<String>> = rows.iter().map(|row| row.to.clone()).collect();
    let of_key = || {
        let found = keys
            .iter()
            .find(|(table, _)| table.eq_ignore_ascii_case(&first.references));
        found
            .map(|(_, columns)| columns.clone())
            .unwrap_or_default()
    };
    let written = definition.and_then(|definition| {
        let at = definition.foreign_keys.iter().position(|key| {
            key.columns.len() == columns.len()
                && std::iter::zip(&key.columns, &columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
        })?;
        Some(definition.foreign_keys.remove(at))
    });
    let mut unusual = Vec::new();
    if first.r#match != "NONE" {
        unusual.push(format!("MATCH {}", first.r#match));
    }
    let action = |action: &str| match action {
        "NO ACTION" => None,
        action => Some(action.to_lowercase()),
    };
    let written = written.as_ref();
    ForeignKey {
        name: written.and_then(|key| key.name.clone()),
        on_delete: action(&first.on_delete),
        on_update: action(&first.on_update),
        deferrable: written.is_some_and(|key| key.deferrable),
        initially_deferred: written.is_some_and(|key| key.deferrable && key.initially_deferred),
        references: first.references.clone(),
        referenced_columns: named.unwrap_or_else(of_key),
        columns,
        unusual,
        ..ForeignKey::default()
    }
}
