//! What the test of a whole migration says: the rows from before, and how the table's repository writes them.
//!
//! Comes in: models with a migration. Goes out: views, or why there is no such test. Must not know: stages.

use std::collections::BTreeSet;

use serde::Serialize;
use zdm_model::{Column, ForeignKey, LogicalType, Table};

use super::own_tests::{ColumnView, column_view, constant, left_out};
use crate::dialect::Dialect;
use crate::plan::Pair;
use crate::render::rust::built_in::Client;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::{Model, Tests, Transition};

/// The whole way of one migration.
#[derive(Debug, Serialize)]
pub(super) struct LiveView {
    /// Tables with rows from before, those first that others refer to.
    rows: Vec<RowsView>,
    writers: Vec<WriterView>,
}

/// A table's rows.
#[derive(Debug, Serialize)]
struct RowsView {
    table: String,
    given: Vec<GivenView>,
    pairs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct GivenView {
    /// It has values of its own …
    own: Option<ColumnView>,
    /// … or those of another table: the column, that table, its column.
    of: Option<[String; 3]>,
}

/// How a repository is called.
#[derive(Debug, Serialize)]
struct WriterView {
    table: String,
    /// `super::super::users::Users`
    repository: String,
    /// `crate::models::User`
    row: String,
    database: String,
    connection: String,
    key: String,
    key_type: String,
    copies: bool,
    /// An insert gives the key.
    returns_key: bool,
    /// Other rows may refer to its rows.
    keeps_rows: bool,
    /// The fields of the migration.
    fields: Vec<String>,
    /// Those that two rows may have the same values in.
    exchanged: Vec<String>,
}

/// The parts of a migration, and all models.
pub(super) struct Parts<'a> {
    pub(super) client: &'a Client,
    pub(super) dialect: &'a Dialect,
    pub(super) models: &'a [Model<'a>],
    pub(super) of: &'a [(&'a Model<'a>, &'a Transition<'a>)],
    pub(super) tests: &'a Tests<'a>,
}

/// The test; or what stands in its way, table by table.
pub(super) fn live(parts: &Parts<'_>) -> Result<LiveView, Vec<String>> {
    if parts.client.name != "sqlx" {
        return Err(vec![
            "the whole way, since its writers are driven on sqlx's connections".to_owned(),
        ]);
    }
    let mut problems = Vec::new();
    let mut order = Vec::new();
    for (model, transition) in parts.of {
        let way = drivable(parts, model, transition);
        let way = way.and_then(|()| parts.order(&model.table.name, &mut order, &mut Vec::new()));
        if let Err(why) = way {
            problems.push(format!("the whole way, for `{}`: {why}", model.table.name));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let rows = order.iter().filter_map(|name| parts.rows(name)).collect();
    let referred: BTreeSet<&str> = order
        .iter()
        .filter_map(|name| parts.model(name))
        .flat_map(|model| parents(&model.table))
        .map(|(_, table, _)| table)
        .collect();
    let writers = parts.of.iter().filter_map(|(model, transition)| {
        let keeps = referred.contains(model.table.name.as_str());
        writer(parts.dialect, model, transition, keeps)
    });
    Ok(LiveView {
        rows,
        writers: writers.collect(),
    })
}

/// Whether the repository can be called by what is known of it.
fn drivable(
    parts: &Parts<'_>,
    model: &Model<'_>,
    transition: &Transition<'_>,
) -> Result<(), &'static str> {
    if !model.earlier.is_empty() || !model.turns.is_empty() {
        return Err("several migrations are in transition");
    }
    if transition.moved.is_some() {
        return Err("columns move between two tables");
    }
    if model.view.is_some() || model.table.renamed_from.is_some() {
        return Err("a name changes");
    }
    if !model.conditions.is_empty() {
        return Err("the struct is not there in every build");
    }
    let pairs = &transition.pairs;
    if pairs.iter().any(Pair::is_one_way) {
        return Err("writes take old values too (`one_way`)");
    }
    let tried = |pair: &&Pair| !pair.is_fill() || pair.with.is_some();
    if pairs
        .iter()
        .filter(tried)
        .any(|pair| left_out(parts.dialect, parts.tests, pair).is_some() || !plain(&pair.new))
    {
        return Err("the values of a column are not known");
    }
    let mut keys = model.table.foreign_keys.iter();
    let refers = |pair: &Pair| {
        let of_pair = |key: &ForeignKey| key.columns.contains(&pair.new.name);
        keys.any(of_pair)
    };
    if pairs.iter().any(refers) {
        return Err("a column of the migration refers to another table");
    }
    let keys: Vec<_> = model.table.key_columns().collect();
    match &keys[..] {
        [key] if RustType::of(key).known && !key.nullable => Ok(()),
        _ => Err("the key is not one column of a known type"),
    }
}

/// Its field can be shown.
fn plain(column: &Column) -> bool {
    RustType::of(column).known && column.logical_type != LogicalType::Enum
}

impl<'a> Parts<'a> {
    fn model(&self, table: &str) -> Option<&'a Model<'a>> {
        let mut models = self.models.iter();
        models.find(|model| model.table.name == table)
    }

    /// Puts a table behind those that its rows cannot be without.
    fn order(
        &self,
        table: &'a str,
        order: &mut Vec<&'a str>,
        above: &mut Vec<&'a str>,
    ) -> Result<(), &'static str> {
        if order.contains(&table) {
            return Ok(());
        }
        if above.contains(&table) {
            return Err("rows refer to each other in a circle");
        }
        let Some(model) = self.model(table) else {
            return Err("no struct is declared for a table that it refers to");
        };
        if !model.table.checks.is_empty() || !model.table.exclusions.is_empty() {
            return Err("constraints say which rows there may be");
        }
        above.push(table);
        let mut keys = model.table.foreign_keys.iter();
        if keys.any(|key| key.columns.len() > 1) {
            return Err("a foreign key has several columns");
        }
        for (_, parent, _) in parents(&model.table) {
            self.order(parent, order, above)?;
        }
        for column in given(model) {
            let refers = parents(&model.table).any(|(name, ..)| name == column.name);
            if !refers && column_view(self.dialect, self.tests, column).is_none() {
                return Err("the values of a column are not known");
            }
        }
        above.pop();
        order.push(table);
        Ok(())
    }

    fn rows(&self, table: &str) -> Option<RowsView> {
        let model = self.model(table)?;
        let mut of = self.of.iter();
        let transition = of.find(|(found, _)| found.table.name == table);
        let pairs = transition.iter().flat_map(|(_, found)| &found.pairs);
        let pairs = pairs.filter(|pair| pair.leads() && !pair.is_fill());
        let given = given(model).map(|column| {
            let parent = parents(&model.table).find(|(name, ..)| *name == column.name);
            let of = parent.map(|(name, table, key)| [name, table, key].map(str::to_owned));
            GivenView {
                own: match of {
                    Some(_) => None,
                    None => column_view(self.dialect, self.tests, column),
                },
                of,
            }
        });
        Some(RowsView {
            table: table.to_owned(),
            given: given.collect(),
            pairs: pairs.map(constant).collect(),
        })
    }
}

/// What a row cannot be without, but for what a migration brings.
fn given<'m>(model: &'m Model<'_>) -> impl Iterator<Item = &'m Column> {
    let brought = |column: &Column| {
        let mut pairs = model.transitions().flat_map(|found| &found.pairs);
        pairs.any(|pair| pair.new.name == column.name)
    };
    let columns = model.table.columns.iter();
    columns.filter(move |column| {
        let counts = column.auto || column.default.is_some() || column.generated.is_some();
        !counts && !column.nullable && !brought(column)
    })
}

/// Of each column that refers to a row which has to be there: the column, the table, the column there.
fn parents(table: &Table) -> impl Iterator<Item = (&str, &str, &str)> {
    let keys = table.foreign_keys.iter();
    keys.filter_map(
        |key| match (&key.columns[..], &key.referenced_columns[..]) {
            ([column], [referenced]) => {
                let found = table.column(column)?;
                (!found.nullable).then_some((
                    column.as_str(),
                    key.references.as_str(),
                    referenced.as_str(),
                ))
            }
            _ => None,
        },
    )
}

fn writer(
    dialect: &Dialect,
    model: &Model<'_>,
    transition: &Transition<'_>,
    keeps_rows: bool,
) -> Option<WriterView> {
    let sqlx = dialect.client("sqlx")?;
    let table = &*model.table;
    let key = table.key_columns().next()?;
    let rust = RustType::of(key);
    let pairs = transition.pairs.iter().filter(|pair| !pair.is_fill());
    let news: Vec<&Column> = pairs.map(|pair| &pair.new).collect();
    let alone = |column: &&&Column| !is_in_a_key(table, &column.name);
    let field = |column: &&Column| names::identifier(&column.field);
    Some(WriterView {
        table: table.name.clone(),
        repository: format!(
            "super::super::{}::{}",
            names::module(&table.name),
            names::repository(&table.name, model.name())
        ),
        row: model.path.clone(),
        database: sqlx.database.clone(),
        connection: sqlx.connection.clone(),
        key: names::identifier(&key.field),
        key_type: rust.owned.clone(),
        copies: rust.copies,
        returns_key: key.auto,
        keeps_rows,
        fields: news.iter().map(field).collect(),
        exchanged: news.iter().filter(alone).map(field).collect(),
    })
}

/// Two rows may not have the same value there, perhaps.
fn is_in_a_key(table: &Table, column: &String) -> bool {
    let mut indexes = table.indexes.iter();
    let mut uniques = table.uniques.iter();
    indexes.any(|index| index.unique && index.columns.contains(column))
        || uniques.any(|unique| unique.columns.contains(column))
}
