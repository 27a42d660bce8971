//! What a rebuild on `SQLite` would lose: whatever the table has beyond what the plan describes.
//!
//! Comes in: a connection inside the step's transaction, the statements that the plan expects to have made the table. Goes
//! out: what stands in the catalogue beyond them, in words. Must not know: what the step makes of the table.

use std::collections::BTreeMap;

use super::words::{clauses, words};
use crate::database::{Connection, DatabaseError, Row, Value};

const COLUMNS: &str =
    "SELECT name, pk, \"notnull\", hidden, dflt_value FROM pragma_table_xinfo($1)";

/// The table's own definition, its indexes and its triggers. What a constraint brings along has no text.
const TEXTS: &str = "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = $1 COLLATE NOCASE AND sql IS NOT NULL";

/// What `SQLite` itself tells of a definition.
const TOLD: &str = "SELECT 'UNIQUE (' || (SELECT group_concat(name, ', ') FROM pragma_index_info(list.name)) || ')'
     FROM pragma_index_list($1) AS list WHERE origin = 'u'
     UNION ALL
     SELECT 'the reference ' || \"from\" || ' to ' || \"table\" || '(' ||
         coalesce(\"to\", (SELECT name FROM pragma_table_info(key.\"table\") WHERE pk = seq + 1), '') ||
         ') ON UPDATE ' || on_update || ' ON DELETE ' || on_delete || ' MATCH ' || match
     FROM pragma_foreign_key_list($1) AS key
     UNION ALL
     SELECT 'WITHOUT ROWID' FROM pragma_table_list($1) WHERE schema = 'main' AND wr
     UNION ALL
     SELECT 'STRICT' FROM pragma_table_list($1) WHERE schema = 'main' AND strict";

/// What the table has beyond what `expects` makes. That is made in a database of its own and read by the same questions.
pub(super) async fn of(
    connection: &mut Connection,
    table: &str,
    expects: &[String],
) -> Result<Vec<String>, DatabaseError> {
    let mut described = Connection::open("sqlite::memory:").await?;
    for statement in expects {
        described.run_file(statement).await?;
    }
    let expected = Definition::read(&mut described, table).await?;
    Ok(Definition::read(connection, table).await?.beyond(expected))
}

/// All that the catalogue says of a table. Names are folded, as `SQLite` compares them.
#[derive(Debug, Default)]
struct Definition {
    columns: BTreeMap<String, Column>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Column {
    name: String,
    key: i64,
    not_null: bool,
    /// Whether it is computed, and when.
    hidden: i64,
    default: Option<String>,
}

/// Anything but a column.
#[derive(Debug)]
struct Part {
    /// The same for the same definition, however it is spelled.
    meaning: String,
    shown: String,
}

impl Definition {
    async fn read(connection: &mut Connection, table: &str) -> Result<Self, DatabaseError> {
        let mut definition = Self::default();
        for row in connection.query(COLUMNS, &[table.into()]).await? {
            let column = column(row)?;
            definition
                .columns
                .insert(column.name.to_ascii_lowercase(), column);
        }
        for row in connection.query(TOLD, &[table.into()]).await? {
            let [Value::Text(Some(told))] = row.as_slice() else {
                return Err(unexpected(&row));
            };
            definition.add(told.to_ascii_lowercase(), told.clone());
        }
        for row in connection.query(TEXTS, &[table.into()]).await? {
            let [
                Value::Text(Some(kind)),
                Value::Text(Some(name)),
                Value::Text(Some(sql)),
            ] = row.as_slice()
            else {
                return Err(unexpected(&row));
            };
            let words = words(sql);
            if kind == "table" {
                for clause in clauses(&words) {
                    definition.add(clause.clone(), clause);
                }
            } else {
                definition.add(words.join(" "), format!("the {kind} {name}"));
            }
        }
        Ok(definition)
    }

    fn add(&mut self, meaning: String, shown: String) {
        self.parts.push(Part { meaning, shown });
    }

    fn beyond(self, expected: Self) -> Vec<String> {
        let columns = self.columns.iter();
        let mut lost: Vec<String> = columns
            .filter_map(|(name, found)| found.beyond(expected.columns.get(name)))
            .collect();
        // Each is expected as often as it is described.
        let mut described = expected.parts;
        for part in self.parts {
            let place = described
                .iter()
                .position(|other| other.meaning == part.meaning);
            match place {
                Some(place) => drop(described.swap_remove(place)),
                None => lost.push(part.shown),
            }
        }
        lost
    }
}

impl Column {
    fn beyond(&self, expected: Option<&Self>) -> Option<String> {
        let name = &self.name;
        let Some(expected) = expected.filter(|expected| expected.hidden == self.hidden) else {
            return Some(format!("the column {name}"));
        };
        if self.key != expected.key {
            return Some(format!("the primary key, which differs in {name}"));
        }
        if self.not_null && !expected.not_null {
            return Some(format!("NOT NULL of {name}"));
        }
        let default = self.default.as_ref()?;
        let meaning = |default: &str| words(default.trim_matches(['(', ' ', ')']));
        let known = expected.default.as_deref().map(meaning);
        (known != Some(meaning(default))).then(|| format!("DEFAULT {default} of {name}"))
    }
}

fn column(row: Row) -> Result<Column, DatabaseError> {
    match <[Value; 5]>::try_from(row) {
        Ok(
            [
                Value::Text(Some(name)),
                Value::Int(Some(key)),
                Value::Int(Some(not_null)),
                Value::Int(Some(hidden)),
                Value::Text(default),
            ],
        ) => Ok(Column {
            name,
            key,
            not_null: not_null != 0,
            hidden,
            default,
        }),
        Ok(row) => Err(unexpected(&row)),
        Err(row) => Err(unexpected(&row)),
    }
}

fn unexpected(row: &[Value]) -> DatabaseError {
    DatabaseError::unexpected("how the table to be rebuilt is defined", row)
}
