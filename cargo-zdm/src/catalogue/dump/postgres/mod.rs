//! PostgreSQL's statements that make a schema: those of `pg_dump --schema-only`, and what people write by hand.
//!
//! One file per kind of object; a statement that none of them understands is refused.

mod comments;
mod constraints;
mod indexes;
mod names;
mod others;
mod placed;
mod settings;
mod tables;
mod types;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::DumpError;
use super::cursor::{Cursor, Name};
use crate::catalogue::{Catalogue, Counted, Enum, Other, Table};
use crate::statements::Statement;
use names::qualified;
use types::Made;

/// Why a statement is not understood.
type Refused = String;

/// What the statements so far have made.
#[derive(Debug, Default)]
struct Reader<'a> {
    /// The schema that is read.
    schema: &'a str,
    /// The one that the server's search path would be: names in it are printed without a schema.
    home: &'a str,
    /// The schema that a name without one means.
    unqualified: String,
    tables: Vec<Table>,
    /// Where each table stands.
    at: HashMap<String, usize>,
    enums: Vec<Enum>,
    others: BTreeSet<Other>,
    /// Names of relations and constraints that are taken.
    names: HashSet<String>,
    types: HashMap<String, Made>,
    has_extension: bool,
    /// How many tables other schemas have.
    schemas: BTreeMap<String, usize>,
    /// The table of each index.
    indexes: HashMap<String, String>,
    /// Sequences that are a column's own: its table, its name.
    owned: HashMap<String, (String, String)>,
    /// How each sequence counts, where that is not from 1, by 1.
    numbers: HashMap<String, String>,
}

pub(super) fn read(
    statements: &[Statement<'_>],
    file: &str,
    schema: Option<&str>,
) -> Result<Catalogue, DumpError> {
    let (home, others) = match schema {
        Some(given) => {
            let mut given = given.split(',').map(str::to_owned);
            (given.next().unwrap_or_default(), given.collect())
        }
        None => chosen(statements, file)?,
    };
    let mut catalogue = read_one(statements, file, &home, &home)?;
    for other in &others {
        let found = read_one(statements, file, &home, other)?;
        placed::join(&mut catalogue, found, other);
    }
    placed::finish(&mut catalogue, &others);
    Ok(catalogue)
}

fn read_one(
    statements: &[Statement<'_>],
    file: &str,
    home: &str,
    schema: &str,
) -> Result<Catalogue, DumpError> {
    let mut reader = Reader {
        schema,
        home,
        unqualified: "public".to_owned(),
        ..Reader::default()
    };
    for statement in statements {
        let read = if statement.is_for_psql() {
            psql(statement)
        } else {
            reader.statement(&mut Cursor::of(*statement))
        };
        read.map_err(|reason| statement.refused(file, reason))?;
    }
    Ok(reader.finished())
}

/// `public` if it has tables, and the others that have; else the only schema that has.
fn chosen(
    statements: &[Statement<'_>],
    file: &str,
) -> Result<(String, BTreeSet<String>), DumpError> {
    let mut found = BTreeSet::new();
    let mut unqualified = "public".to_owned();
    for statement in statements {
        let mut cursor = Cursor::of(*statement);
        if cursor.take("set") {
            if let Some(path) = search_path(&mut cursor) {
                unqualified = path;
            }
        } else if cursor.take("create") {
            cursor.take("unlogged");
            if cursor.take("table") {
                cursor.take("if not exists");
                let name = cursor.qualified();
                found.extend(name.map(|name| name.schema.unwrap_or_else(|| unqualified.clone())));
            }
        }
    }
    let public = "public".to_owned();
    found.remove("zdm");
    match found.len() {
        0 => Ok((public, found)),
        _ if found.remove(&public) => {
            found.retain(|schema| !schema.contains('.'));
            Ok((public, found))
        }
        1 => Ok((found.pop_first().unwrap_or(public), found)),
        _ => Err(DumpError::Schemas {
            file: file.to_owned(),
            schemas: found.into_iter().collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Behind `SET`: the first schema of a search path.
fn search_path(cursor: &mut Cursor<'_>) -> Option<String> {
    cursor.take("local");
    cursor.take("session");
    if !cursor.take("search_path") || !(cursor.take("to") || cursor.take("=")) {
        return None;
    }
    let first = cursor.next()?;
    let name = first.text.trim_matches(['\'', '"']);
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

fn psql(statement: &Statement<'_>) -> Result<(), Refused> {
    let word = statement.text.split_whitespace().next().unwrap_or_default();
    match word {
        "\\restrict" | "\\unrestrict" => Ok(()),
        _ => Err("psql's own commands are not followed: put one schema into the file".to_owned()),
    }
}

impl Reader<'_> {
    fn statement(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        let Some(first) = cursor.next() else {
            return Ok(());
        };
        match first.text.to_lowercase().as_str() {
            "create" => self.create(cursor),
            "alter" => self.alter(cursor),
            "comment" => self.comment(cursor),
            "set" => {
                if let Some(path) = search_path(cursor) {
                    self.unqualified = path;
                }
                Ok(())
            }
            "select" => {
                let name = qualified(cursor)?;
                match name.name.as_str() {
                    "set_config" | "setval" => Ok(()),
                    _ => Err("a query may do anything, and the file is only read".to_owned()),
                }
            }
            // Rows, rights, and what a dump stands between.
            "copy" | "insert" | "update" | "delete" | "grant" | "revoke" | "begin" | "start"
            | "commit" | "end" | "analyze" | "refresh" | "security" | "reset" => Ok(()),
            "drop" => Err("what is dropped is not followed: dump without --clean".to_owned()),
            "do" => Err("a block of code may do anything, and the file is only read".to_owned()),
            _ => Err("this kind of statement is not understood".to_owned()),
        }
    }

    fn create(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        cursor.take("or replace");
        let unlogged = cursor.take("unlogged");
        if cursor.take("table") {
            return self.create_table(cursor, unlogged);
        }
        let unique = cursor.take("unique");
        if cursor.take("index") {
            return self.create_index(cursor, unique);
        }
        self.create_other(cursor)
    }

    fn alter(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        if cursor.take("table") {
            return self.alter_table(cursor);
        }
        self.alter_other(cursor)
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, Refused> {
        match self.at.get(name) {
            Some(at) => Ok(&mut self.tables[*at]),
            None => Err(format!(
                "no statement before this one creates the table {name}"
            )),
        }
    }

    /// What is said of a table or a property of it; `object` is empty for the table itself.
    fn of_table(&mut self, table: &str, what: &str, object: &str) -> Result<(), Refused> {
        let full = match object {
            "" => table.to_owned(),
            object => format!("{table}.{object}"),
        };
        self.table_mut(table)?.others.push(Other {
            what: what.to_owned(),
            object: full,
        });
        Ok(())
    }

    fn other(&mut self, what: &str, object: impl Into<String>) {
        self.others.insert(Other {
            what: what.to_owned(),
            object: object.into(),
        });
    }

    fn finished(mut self) -> Catalogue {
        let public = "public".to_owned();
        self.schemas.entry(public.clone()).or_insert(0);
        for (schema, count) in std::mem::take(&mut self.schemas) {
            if schema != self.schema && (schema != public || count > 0) {
                let tables = if count == 1 { "table" } else { "tables" };
                self.other("schema", format!("{schema} with {count} {tables}"));
            }
        }
        let owned = std::mem::take(&mut self.owned);
        let mut others = std::mem::take(&mut self.others);
        others.retain(|other| other.what != "sequence" || !owned.contains_key(&other.object));
        for (sequence, (table, column)) in owned {
            self.count(&sequence, &table, &column);
            let numbers = self.numbers.remove(&sequence).unwrap_or_default();
            // A column of a table that was not read has none.
            self.numbers_of(&table, &column, &numbers)
                .unwrap_or_default();
        }
        self.enums.sort_by(|left, right| left.name.cmp(&right.name));
        let mut tables = self.tables;
        tables.sort_by(|left, right| left.name.cmp(&right.name));
        for table in &mut tables {
            table
                .checks
                .sort_by(|left, right| left.name.cmp(&right.name));
            table
                .foreign_keys
                .sort_by(|left, right| left.name.cmp(&right.name));
        }
        Catalogue {
            schema: self.schema.to_owned(),
            path: Vec::new(),
            tables,
            enums: self.enums,
            others: others.into_iter().collect(),
        }
    }

    /// A column is a serial whose default is the next number of its own sequence.
    fn count(&mut self, sequence: &str, table: &str, column: &str) {
        let printed = self.printed(&Name {
            schema: Some(self.schema.to_owned()),
            name: sequence.to_owned(),
        });
        let next = ["'::regclass)", "')"].map(|end| format!("nextval('{printed}{end}"));
        if let Ok(column) = self.column_mut(table, column)
            && column
                .default
                .as_ref()
                .is_some_and(|default| next.contains(default))
        {
            column.counted = Some(Counted::Serial);
        }
    }
}
