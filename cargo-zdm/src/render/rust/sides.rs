//! What a statement of generated code does with the columns of a table, side by side: values, assignments, select lists.
//!
//! Comes in: a table, its pairs and the names of parameters. Goes out: fragments of SQL for templates.
//! Must not know: Rust, whole statements.

mod given_back;
mod one_way;

use std::cmp::Ordering;

use zdm_model::{Column, Table};
use zdm_runtime::Writes;

use super::words::Words;
use super::{Model, Transition};
use crate::dialect::ExpressionError;
use crate::plan::Pair;
use given_back::is_first_of;
use one_way::of_pair;

/// A table with the pairs that are in transition on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) words: Words<'a>,
    pub(super) table: &'a Table,
    /// The id of the migration that they belong to, of several the last.
    pub(super) migration: Option<&'a str>,
    /// The migrations in transition, in their turn.
    pub(super) transitions: &'a [&'a Transition<'a>],
    /// The folders of all that are followed on the table, where these are several.
    pub(super) turns: &'a [String],
    /// The column of the key that grows, which is read as the wide type whatever it is.
    pub(super) growing: Option<&'a str>,
    /// The view that has the new names of the key's columns.
    pub(super) renamed: Option<&'a str>,
    /// The column that counts the writes of a row.
    pub(super) version: Option<&'a str>,
}

/// Which sides a write maintains.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written {
    /// The same of every pair that it concerns.
    All(Writes),
    /// Of the migration at this place; those before it are complete, those after it have not begun.
    InTurn(usize, Writes),
}

impl From<Writes> for Written {
    fn from(writes: Writes) -> Self {
        Self::All(writes)
    }
}

impl Written {
    /// Of the pairs of the migration at this place.
    fn of(self, turn: usize) -> Writes {
        match self {
            Self::All(writes) => writes,
            Self::InTurn(moving, writes) => match turn.cmp(&moving) {
                Ordering::Less => Writes::New,
                Ordering::Equal => writes,
                Ordering::Greater => Writes::Old,
            },
        }
    }
}

impl<'a> Sides<'a> {
    /// Of a model; `transitions` are its own.
    pub(super) fn of(
        words: Words<'a>,
        model: &'a Model<'_>,
        transitions: &'a [&'a Transition<'a>],
    ) -> Self {
        Self {
            words,
            table: &model.table,
            migration: model.transition().map(|transition| transition.id),
            transitions,
            turns: &model.turns,
            growing: model.growing(),
            renamed: model.view.as_deref(),
            version: model.version.as_deref(),
        }
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = &'a Pair> {
        self.transitions.iter().flat_map(|found| &found.pairs)
    }

    /// The pairs of the last migration.
    pub(super) fn last_pairs(&self) -> &'a [Pair] {
        self.transitions.last().map_or(&[], |found| &found.pairs)
    }

    /// The pair that has an old side and this new column, with its migration and the place of that in `transitions`.
    fn found(&self, column: &Column) -> Option<(usize, &'a Transition<'a>, &'a Pair)> {
        let all = self.transitions.iter().copied().enumerate();
        let mut pairs =
            all.flat_map(|(at, found)| found.pairs.iter().map(move |pair| (at, found, pair)));
        pairs.find(|(_, _, pair)| !pair.is_fill() && pair.new.name == column.name)
    }

    /// The pair that has an old side and this new column.
    pub(super) fn pair(&self, column: &Column) -> Option<&'a Pair> {
        self.found(column).map(|(_, _, pair)| pair)
    }

    /// The migration of that pair.
    pub(super) fn transition_of(&self, column: &Column) -> Option<&'a Transition<'a>> {
        self.found(column).map(|(_, found, _)| found)
    }

    /// That pair, with the sides that a write maintains of it.
    fn written(&self, written: Written, column: &Column) -> Option<(&'a Pair, Writes)> {
        let found = self.found(column);
        found.map(|(at, _, pair)| (pair, written.of(at)))
    }

    /// The migrations that have pairs with an old side, with their places in `transitions`.
    pub(super) fn dual_transitions(&self) -> impl Iterator<Item = (usize, &'a Transition<'a>)> {
        let all = self.transitions.iter().copied().enumerate();
        all.filter(|(_, found)| found.pairs.iter().any(|pair| !pair.is_fill()))
    }

    /// The view through which the rows are reached as long as names are in transition.
    pub(super) fn view(&self) -> Option<&'a str> {
        let of_pairs = || self.pairs().find_map(|pair| pair.view.as_deref());
        self.renamed.or_else(of_pairs)
    }

    /// The pairs that have an old side.
    pub(super) fn dual(&self) -> impl Iterator<Item = &'a Pair> {
        self.pairs().filter(|pair| !pair.is_fill())
    }

    /// The old columns whose values a write takes beside the struct's, because nothing computes them.
    pub(super) fn given(&self) -> impl Iterator<Item = &'a Column> {
        let one_way = self.dual().filter(|pair| pair.is_one_way());
        one_way.flat_map(|pair| &pair.old)
    }

    /// The same, and behind them for each column that a function computes what it makes of them.
    pub(super) fn given_and_computed(&self) -> impl Iterator<Item = &'a Column> {
        let computed = self.dual().filter(|pair| pair.seal.is_some());
        self.given().chain(computed.map(|pair| &pair.new))
    }

    /// `(column, value)` of an insert; `columns` come with their parameters, and so do the old ones that are `given`.
    pub(super) fn inserted(
        &self,
        written: Written,
        columns: &[(&Column, String)],
        given: &[(&Column, String)],
    ) -> Result<Vec<(String, String)>, ExpressionError> {
        let mut values = Vec::new();
        for (column, parameter) in columns {
            let value = self.words.typed_parameter(column, parameter);
            let pair = self.written(written, column);
            if !matches!(pair, Some((_, Writes::Old))) {
                values.push((self.words.ident(&column.name), value.clone()));
            }
            let Some((pair, writes @ (Writes::Old | Writes::Both))) = pair else {
                continue;
            };
            for (old, parameter) in of_pair(pair, given) {
                let value = self.words.typed_parameter(old, parameter);
                values.push((self.words.ident(&old.name), value));
            }
            if pair.leads() {
                values.extend(self.old_inserted(pair, columns)?);
            }
            if matches!(writes, Writes::Both) {
                values.extend(self.sealed(pair, parameter, given));
            }
        }
        Ok(values)
    }

    /// `(column, value)` of an update; with `qualified`, stored values are named with their table, as an upsert's conflict
    /// branch demands.
    pub(super) fn assigned(
        &self,
        written: Written,
        columns: &[(&Column, String)],
        given: &[(&Column, String)],
        qualified: bool,
    ) -> Result<Vec<(String, String)>, ExpressionError> {
        let mut values = Vec::new();
        for (column, parameter) in columns {
            if self.version == Some(&column.name) {
                values.extend(self.next_version(qualified));
                continue;
            }
            let pair = self.written(written, column);
            if !matches!(pair, Some((_, Writes::Old))) {
                values.push((
                    self.words.ident(&column.name),
                    self.words.assigned_parameter(column, parameter),
                ));
            }
            if let Some((pair, writes @ (Writes::Old | Writes::Both))) = pair {
                for (old, parameter) in of_pair(pair, given) {
                    let value = self.words.assigned_parameter(old, parameter);
                    values.push((self.words.ident(&old.name), value));
                }
                if is_first_of(pair, column, columns) {
                    values.extend(self.old_assigned(pair, writes, columns, qualified)?);
                }
                if matches!(writes, Writes::Both) {
                    values.extend(self.sealed(pair, parameter, given));
                }
            }
        }
        Ok(values)
    }

    /// `(column, value)` of what every update of a row counts.
    pub(super) fn next_version(&self, qualified: bool) -> Option<(String, String)> {
        let mut columns = self.table.columns.iter();
        let version = columns.find(|column| self.version == Some(&column.name))?;
        let next = format!("{} + 1", self.stored(version, qualified));
        Some((self.words.ident(&version.name), next))
    }

    fn stored(&self, column: &Column, qualified: bool) -> String {
        let name = self.words.ident(&column.name);
        if qualified {
            format!("{}.{name}", self.words.within(&self.table.name))
        } else {
            name
        }
    }

    /// A stored value in a select list.
    pub(super) fn listed(&self, column: &Column) -> String {
        if self.growing == Some(&column.name) {
            let name = self.words.ident(&column.name);
            return self.words.computed(column, &name);
        }
        self.words.listed(column)
    }

    /// The select list: plain columns, both sides of pairs, whether these agree, and the epoch.
    pub(super) fn selected(&self) -> Vec<String> {
        let mut list = Vec::new();
        for column in &self.table.columns {
            let name = self.words.ident(&column.name);
            let listed = self.listed(column);
            let found = self.pairs().find(|pair| pair.new.name == column.name);
            match found {
                None if listed == name => list.push(name),
                None => list.push(format!("{listed} AS {name}")),
                Some(sealed) if sealed.seal.is_some() => list.extend(self.both_and_seal(sealed)),
                Some(computed) if computed.with.is_some() => {
                    list.push(self.named(column));
                }
                Some(fill) if fill.is_fill() => {
                    let filled = format!("COALESCE({name}, {})", fill.up);
                    let filled = self.words.computed(column, &filled);
                    list.push(format!("{filled} AS {name}"));
                }
                Some(pair) => {
                    let old = if pair.old.iter().any(|old| is_column(&pair.up, &old.name))
                        && column.sql_type.is_none()
                    {
                        pair.up.clone()
                    } else {
                        self.words.computed(column, &pair.up)
                    };
                    let (old_alias, new_alias) = self.aliases(column);
                    list.push(format!("{old} AS {}", self.words.ident(&old_alias)));
                    list.push(format!("{listed} AS {}", self.words.ident(&new_alias)));
                }
            }
        }
        list.extend(self.compared());
        list.push(format!(
            "{} AS zdm_epoch",
            self.words.fence(&self.table.name)
        ));
        list
    }

    /// A stored value under the column's name.
    fn named(&self, column: &Column) -> String {
        let name = self.words.ident(&column.name);
        match self.listed(column) {
            listed if listed == name => name,
            listed => format!("{listed} AS {name}"),
        }
    }

    /// What a function takes, new, and whether that is what the function made of it.
    fn both_and_seal(&self, pair: &Pair) -> Vec<String> {
        let (_, new_alias) = self.aliases(&pair.new);
        let sealed = pair.sealed(self.words.dialect()).unwrap_or_default();
        let mut list: Vec<String> = pair.old.iter().map(|old| self.named(old)).collect();
        list.push(format!(
            "{} AS {}",
            self.listed(&pair.new),
            self.words.ident(&new_alias)
        ));
        list.push(format!("({sealed}) AS zdm_sealed"));
        list
    }

    /// Whether the sides agree of the migration that compares them: at `complete` new may hold what `down` cannot convert, and a
    /// read must not fail on it.
    fn compared(&self) -> Option<String> {
        let cases: Vec<_> = self
            .dual_transitions()
            .map(|(_, found)| {
                let pairs = found.pairs.iter();
                let pairs = pairs.filter(|pair| !pair.is_fill() && pair.leads());
                let agree: Vec<_> = pairs.map(|pair| format!("({})", pair.consistent)).collect();
                format!(
                    "WHEN {} THEN {}",
                    self.words.compares(found.id),
                    agree.join(" AND ")
                )
            })
            .collect();
        let others = if self.turns.is_empty() {
            ""
        } else {
            " ELSE TRUE"
        };
        (!cases.is_empty())
            .then(|| format!("CASE {}{others} END AS zdm_consistent", cases.join(" ")))
    }

    /// The names under which a query returns old and new side of a column. Longer ones than 63 bytes would be cut.
    pub(super) fn aliases(&self, column: &Column) -> (String, String) {
        let name = if column.name.len() + "zdm_old_".len() <= 63 {
            column.name.clone()
        } else {
            let at = self.table.columns.iter().position(|other| other == column);
            at.unwrap_or_default().to_string()
        };
        (format!("zdm_old_{name}"), format!("zdm_new_{name}"))
    }
}

/// The expression is that column and nothing else.
fn is_column(expression: &str, column: &str) -> bool {
    expression.trim().trim_matches('"') == column
}
