//! What is looked for, as a query names it.
//!
//! Comes in: [`Target`]s and the declared tables. Goes out: which of them a name means.
//! Must not know: where queries stand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlparser::ast::Ident;
use zdm_model::names;

use super::{HOLE, Target};
use crate::dialect::Dialect;

/// The columns of the tables that are declared, by the table's name.
pub(crate) type Known = BTreeMap<String, BTreeSet<String>>;

/// [`Target`]s by name.
pub(super) struct Wanted<'a> {
    pub(super) targets: &'a [Target],
    dialect: &'a Dialect,
    known: Known,
    /// Positions of targets by table and column.
    columns: HashMap<(String, String), Vec<usize>>,
    /// Those that are whole tables.
    tables: HashMap<String, Vec<usize>>,
    /// The words of a target in lower case: its table's and its column's.
    words: Vec<(String, Option<String>)>,
}

/// Schemas in which a table that names none is found by default.
const DEFAULT: [&str; 2] = ["public", "main"];
/// Schemas in which no table of the application is.
const FOREIGN: [&str; 3] = ["pg_catalog", "information_schema", "zdm"];

impl<'a> Wanted<'a> {
    pub(super) fn of(targets: &'a [Target], known: &Known, dialect: &'a Dialect) -> Self {
        let fold = |name: &String| dialect.compared(name);
        let mut columns: HashMap<_, Vec<usize>> = HashMap::new();
        let mut tables: HashMap<_, Vec<usize>> = HashMap::new();
        let mut all: Known = known
            .iter()
            .map(|(table, columns)| (fold(table), columns.iter().map(fold).collect()))
            .collect();
        for (at, target) in targets.iter().enumerate() {
            let table = fold(&target.table);
            let known = all.entry(table.clone()).or_default();
            match &target.column {
                Some(column) => {
                    known.insert(fold(column));
                    columns.entry((table, fold(column))).or_default().push(at);
                }
                None => tables.entry(table).or_default().push(at),
            }
        }
        let words = targets
            .iter()
            .map(|target| {
                let column = target.column.as_ref().map(|column| column.to_lowercase());
                (names::bare(&target.table).to_lowercase(), column)
            })
            .collect();
        Self {
            targets,
            dialect,
            known: all,
            columns,
            tables,
            words,
        }
    }

    pub(super) fn dialect(&self) -> &Dialect {
        self.dialect
    }

    /// The words of each target in lower case: its table's and its column's.
    pub(super) fn words(&self) -> &[(String, Option<String>)] {
        &self.words
    }

    /// A name as the database compares it.
    pub(super) fn name(&self, ident: &Ident) -> String {
        self.dialect.name_of(ident)
    }

    pub(super) fn is_column(&self, table: &str, column: &str) -> bool {
        !self.of_column(table, column).is_empty()
    }

    /// The columns of a table that are looked for, of those that count where all are named.
    pub(super) fn columns_of(&self, table: &str) -> Vec<String> {
        let targets = self.every(table).map(|at| &self.targets[at]);
        let columns = targets.filter_map(|target| target.column.as_ref());
        columns
            .map(|column| self.dialect.compared(column))
            .collect()
    }

    /// Whether a declared table has a column.
    pub(super) fn knows(&self, table: &str, column: &str) -> bool {
        let columns = self.known.get(table);
        columns.is_some_and(|columns| columns.contains(column))
    }

    /// The targets that a column is.
    pub(super) fn of_column(&self, table: &str, column: &str) -> &[usize] {
        let found = self.columns.get(&(table.to_owned(), column.to_owned()));
        found.map_or(&[], Vec::as_slice)
    }

    /// The targets that a table is.
    pub(super) fn of_table(&self, table: &str) -> &[usize] {
        self.tables.get(table).map_or(&[], Vec::as_slice)
    }

    /// The columns of a table that are targets for whoever names all of its columns.
    pub(super) fn every(&self, table: &str) -> impl Iterator<Item = usize> {
        let targets = self.targets.iter().enumerate();
        targets
            .filter(move |(_, target)| {
                let is_table = self.dialect.compared(&target.table) == table;
                is_table && target.column.is_some() && target.counts_every
            })
            .map(|(at, _)| at)
    }

    /// The targets that a column of an unknown table may be.
    pub(super) fn of_any_table(&self, column: &str) -> impl Iterator<Item = (usize, &Target)> {
        let targets = self.targets.iter().enumerate();
        targets.filter(move |(_, target)| {
            let own = target.column.as_ref();
            own.is_some_and(|own| self.dialect.compared(own) == column)
        })
    }

    /// The declared table that a name means, and whether it can be no other.
    pub(super) fn table(&self, parts: &[String]) -> Option<(String, bool)> {
        let (name, schema) = match parts {
            [name] => (name, None),
            [.., schema, name] => (name, Some(schema).filter(|schema| *schema != HOLE)),
            [] => return None,
        };
        let Some(schema) = schema else {
            if self.known.contains_key(name) {
                return Some((name.clone(), true));
            }
            // By its search path a connection may find it.
            let mut others = self.known.keys();
            return others
                .find(|known| names::schema_of(known).is_some() && names::bare(known) == name)
                .map(|known| (known.clone(), false));
        };
        let qualified = names::in_schema(Some(schema), name);
        if self.known.contains_key(&qualified) {
            return Some((qualified, true));
        }
        let elsewhere = FOREIGN.contains(&schema.as_str());
        (!elsewhere && self.known.contains_key(name))
            .then(|| (name.clone(), DEFAULT.contains(&schema.as_str())))
    }
}
