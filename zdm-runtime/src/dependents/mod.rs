//! What in the database names a column, a table or an enum that a version takes away, or a column that it changes in place: views,
//! triggers, functions, policies, rules, and the views of those views.
//!
//! Comes in: a connection, a version. Goes out: each of them, unless a step of the version drops it before. Nothing is changed.
//! Must not know: when it is asked.

mod dropped;
mod enums;
mod keys;
mod made;
mod policies;
mod postgres;
mod renamed;
mod sqlite;

use crate::database::{Connection, DatabaseError, Dialect, catalogue};
use crate::manifest::{Manifest, Names};
use crate::migration::Migration;
use crate::phase::Section;

/// An object that would not hold any more, or keeps the database from dropping what it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependent {
    /// `view`, `trigger`, `function`.
    pub kind: String,
    /// Its schema, where that is not the one of the table.
    pub schema: Option<String>,
    /// Its name, without its schema.
    pub name: String,
    /// `the column users.name`
    pub on: String,
    /// The section that stumbles over it.
    pub section: Section,
    /// What may be done about it, to be read before it is executed.
    pub way_on: Option<String>,
}

impl Dependent {
    /// `view billing.paid`
    pub fn called(&self) -> String {
        called(&self.kind, self.schema.as_deref(), &self.name)
    }
}

/// What names a table or a column of it.
struct Named {
    kind: String,
    schema: Option<String>,
    name: String,
    /// The view that it stands on, where it names the table through one: `view billing.paid`.
    of: Option<String>,
}

impl Named {
    fn called(&self) -> String {
        called(&self.kind, self.schema.as_deref(), &self.name)
    }
}

fn called(kind: &str, schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{kind} {schema}.{name}"),
        None => format!("{kind} {name}"),
    }
}

/// What names something that the version takes away, or changes in place, from this section on, and is still there when
/// it does.
pub async fn of(
    connection: &mut Connection,
    migration: &Migration,
    from: Section,
) -> Result<Vec<Dependent>, DatabaseError> {
    let mut found = Vec::new();
    let mut asked = Vec::new();
    let goes = migration.manifest().contracts_by().max(from);
    if from == Section::Expand {
        for (table, columns) in &migration.manifest().retyped {
            for column in columns {
                let on = format!("the column {table}.{column}, which changes in place");
                asked.push((Section::Expand, on, table.as_str(), Some(column.as_str())));
            }
        }
    }
    let gone = if from == Section::DropKept {
        kept(migration.manifest())
    } else {
        going(connection, migration.manifest(), from).await?
    };
    for (table, column) in gone {
        let on = match column {
            Some(column) => format!("the column {table}.{column}"),
            None => format!("the table {table}"),
        };
        asked.push((goes, on, table, column));
    }
    for (section, on, table, column) in asked {
        let named = match connection.dialect() {
            Dialect::Postgres => postgres::on(connection, table, column).await?,
            // A view on SQLite does not know the types of its columns.
            Dialect::Sqlite if section == Section::Expand => Vec::new(),
            Dialect::Sqlite => sqlite::on(connection, table, column).await?,
        };
        found.extend(named.into_iter().map(|named| {
            Dependent {
                kind: named.kind,
                schema: named.schema,
                name: named.name,
                on: named
                    .of
                    .map_or_else(|| on.clone(), |view| format!("the {view}")),
                section,
                way_on: None,
            }
        }));
    }
    policies::follow(connection, migration.manifest(), from, &mut found).await?;
    for name in &migration.manifest().exchanges {
        let named = enums::on(connection, migration.manifest(), name).await?;
        found.extend(named.into_iter().map(|(kind, object)| Dependent {
            kind,
            schema: None,
            name: object,
            on: format!("the enum {name}"),
            section: goes,
            way_on: None,
        }));
    }
    if from > Section::Expand {
        let made = made::by_hand(connection, migration.manifest(), from).await?;
        found.extend(made.into_iter().map(|made| Dependent {
            kind: made.kind,
            schema: None,
            name: made.name,
            on: format!("the column {}", made.column),
            section: goes,
            way_on: made.way_on,
        }));
    }
    found.extend(referring(connection, migration.manifest(), (from, goes)).await?);
    // Once names are exchanged, nobody can tell what a text meant.
    let renamed = migration.manifest().renamed_keys.iter();
    for (table, columns) in renamed.filter(|_| from <= Section::Release) {
        for (column, name) in columns {
            let named = renamed::triggers(connection, table, column).await?;
            found.extend(named.into_iter().map(|trigger| Dependent {
                kind: "trigger".to_owned(),
                schema: None,
                name: trigger,
                on: format!("the column {table}.{column}, which becomes {name}"),
                section: Section::Release,
                way_on: None,
            }));
        }
    }
    found.retain(|dependent| !is_dropped_before(migration, from, dependent));
    found.sort();
    found.dedup();
    Ok(found)
}

/// Foreign keys onto what goes that the version does not take along.
async fn referring(
    connection: &mut Connection,
    manifest: &Manifest,
    (from, goes): (Section, Section),
) -> Result<Vec<Dependent>, DatabaseError> {
    let foreign_key = |(name, child): (String, String), on: &str, section| Dependent {
        kind: "foreign key".to_owned(),
        schema: None,
        name,
        on: format!("{on}, from {child}"),
        section,
        way_on: None,
    };
    let mut found = Vec::new();
    for (table, exchanged) in &manifest.exchanged_keys {
        for key in exchanged {
            let on = format!("the key {} of {table}", key.index);
            let others = keys::beyond(connection, table, key).await?.into_iter();
            found.extend(others.map(|key| foreign_key(key, &on, goes)));
        }
    }
    for pair in manifest.pairs.iter().filter(|_| from <= Section::Release) {
        for old in &pair.old {
            let on = format!("the column {}.{}", pair.table, old.column);
            let others = keys::onto(connection, manifest, &pair.table, &old.column).await?;
            let others = others.into_iter();
            found.extend(others.map(|key| foreign_key(key, &on, Section::Release)));
        }
    }
    Ok(found)
}

/// A step of the version takes it away before it is stumbled over; a generated column that goes as well is no obstacle.
fn is_dropped_before(migration: &Migration, from: Section, dependent: &Dependent) -> bool {
    let mut tables = migration.manifest().drops.values();
    if dependent.kind == "generated column"
        && tables.any(|names| names.columns.contains(&dependent.name))
    {
        return true;
    }
    let kind = made::dropped_as(&dependent.kind).to_owned();
    let named = (kind, dependent.name.to_lowercase());
    let dropped_until = |last| dropped::before_what_goes(migration, from, last).contains(&named);
    // What is the tool's own goes over to the other name with what is kept, and goes with it.
    let is_own = dependent.schema.as_deref() == Some("zdm");
    dropped_until(dependent.section) || is_own && dropped_until(Section::DropKept)
}

/// What was renamed away, by the names that it has now: the whole table, or the column.
fn kept(manifest: &Manifest) -> Vec<(&str, Option<&str>)> {
    let kept = manifest.keep.iter();
    let columns = kept.clone().flat_map(|keep| &keep.columns);
    let columns = columns.flat_map(|(table, columns)| {
        let columns = columns.iter();
        columns.map(move |(_, column)| (table.as_str(), Some(column.as_str())))
    });
    let tables = kept.flat_map(|keep| keep.tables.values());
    columns
        .chain(tables.map(|table| (table.as_str(), None)))
        .collect()
}

/// What goes, by the names that it has until then: the whole table, or the column.
async fn going<'a>(
    connection: &mut Connection,
    manifest: &'a Manifest,
    from: Section,
) -> Result<Vec<(&'a str, Option<&'a str>)>, DatabaseError> {
    let mut going = Vec::new();
    for (table, names) in &manifest.drops {
        let gone = gone(connection, manifest, (table, names), from).await?;
        going.extend(gone.into_iter().map(|column| (table.as_str(), column)));
    }
    Ok(going)
}

/// The columns of tables which are merged into others that no version describes: they would go along, and their values are nowhere
/// else. `addresses.geo`
pub async fn undescribed(
    connection: &mut Connection,
    migration: &Migration,
) -> Result<Vec<String>, DatabaseError> {
    let mut found = Vec::new();
    for table in &migration.manifest().merged {
        let known = migration.manifest().drops.get(table);
        let known = known.map_or(&[][..], |names| &names.columns);
        let there = catalogue::columns(connection, table).await?;
        let unknown = there.into_iter().filter(|column| !known.contains(column));
        found.extend(unknown.map(|column| format!("{table}.{column}")));
    }
    Ok(found)
}

/// The whole table, or the columns that go.
async fn gone<'a>(
    connection: &mut Connection,
    manifest: &'a Manifest,
    (table, names): (&str, &'a Names),
    from: Section,
) -> Result<Vec<Option<&'a str>>, DatabaseError> {
    let mut gone = taken(names);
    // It goes nowhere, and what stands on it stays with it.
    for (renamed, _) in manifest.renamed_keys.get(table).into_iter().flatten() {
        gone.retain(|name| *name != Some(renamed));
    }
    let of_table = manifest.pairs.iter().filter(|pair| pair.table == table);
    let pairs = of_table.filter_map(|pair| Some((pair, pair.released.as_ref()?)));
    for (pair, released) in pairs {
        // The name of the one that stays, until it takes over the other.
        let names = [&pair.new.column, &released.name];
        gone.retain(|name| !name.is_some_and(|name| names.iter().any(|other| *other == name)));
        let there = catalogue::columns(connection, table).await?;
        if there.contains(&released.name) {
            gone.push(Some(&released.name));
        } else if from < Section::Drop {
            gone.push(Some(&released.column));
        }
    }
    Ok(gone)
}

/// The whole table, or its columns.
fn taken(names: &Names) -> Vec<Option<&str>> {
    if names.table {
        return vec![None];
    }
    names
        .columns
        .iter()
        .map(|column| Some(column.as_str()))
        .collect()
}
