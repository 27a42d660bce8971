//! What a write gives the old columns: out of the new one, or out of all that an old one is split into.

use zdm_model::Column;
use zdm_runtime::Writes;

use super::{Sides, is_column};
use crate::dialect::ExpressionError;
use crate::plan::Pair;

/// The row of new columns that a write keeps.
const KEPT: &str = "zdm_kept";

/// A new column of a pair, and its value in a write.
struct Part<'a> {
    column: &'a Column,
    /// f over the row.
    up: String,
    value: String,
    written: bool,
}

impl Sides<'_> {
    /// An insert names every new column.
    pub(super) fn old_inserted(
        &self,
        pair: &Pair,
        columns: &[(&Column, String)],
    ) -> Result<Vec<(String, String)>, ExpressionError> {
        let values = parts(pair).filter_map(|(column, _)| {
            let parameter = parameter_of(column, columns)?;
            let value = self.words.typed_parameter(column, parameter);
            Some((column.name.as_str(), value))
        });
        let values: Vec<(&str, String)> = values.collect();
        let downs = pair.old.iter().zip(&pair.down);
        downs
            .map(|(old, down)| Ok((self.words.ident(&old.name), self.bound(down, &values)?)))
            .collect()
    }

    /// Old keeps its value where it converts to the new ones already. Of several new columns, those that the write does not
    /// name keep theirs; where the row's sides do not agree, these are old's until nothing reads old any more.
    pub(super) fn old_assigned(
        &self,
        pair: &Pair,
        writes: Writes,
        columns: &[(&Column, String)],
        qualified: bool,
    ) -> Result<Vec<(String, String)>, ExpressionError> {
        let stored = |column: &Column| self.stored(column, qualified);
        let old: Vec<(&str, String)> = of(&pair.old, &stored);
        let parts = self.written_parts(pair, writes, columns, &old)?;
        let compared = parts
            .iter()
            .filter(|part| part.written || writes == Writes::Both);
        let agree = compared.map(|part| {
            let up = format!("({})", part.up);
            self.words.agrees(part.column, &up, &part.value)
        });
        let agree = agree.collect::<Vec<_>>().join(" AND ");
        let values = parts
            .iter()
            .map(|part| (part.column.name.as_str(), part.value.clone()));
        let values: Vec<(&str, String)> = values.collect();
        let mut assigned = Vec::new();
        for (old, down) in pair.old.iter().zip(&pair.down) {
            let copied = is_column(&pair.up, &old.name) && is_column(down, &pair.new.name);
            let value = if let Some(parameter) = parameter_of(&pair.new, columns).filter(|_| copied)
            {
                self.words.assigned_parameter(old, parameter)
            } else {
                let down = self.bound(down, &values)?;
                format!("CASE WHEN {agree} THEN {} ELSE {down} END", stored(old))
            };
            assigned.push((self.words.ident(&old.name), value));
        }
        let kept = |part: &&Part<'_>| writes == Writes::Both && !part.written;
        let kept: Vec<&Part<'_>> = parts.iter().filter(kept).collect();
        if kept.is_empty() {
            return Ok(assigned);
        }
        let mut row = old;
        row.extend(
            parts
                .iter()
                .map(|part| (part.column.name.as_str(), stored(part.column))),
        );
        let beside = self.kept_beside(pair, &kept, &row, assigned)?;
        Ok(vec![beside])
    }

    /// One assignment of all that a write gives beside the columns that it names, out of one look at the row.
    fn kept_beside(
        &self,
        pair: &Pair,
        kept: &[&Part<'_>],
        row: &[(&str, String)],
        mut assigned: Vec<(String, String)>,
    ) -> Result<(String, String), ExpressionError> {
        let mut agreed = self.bound(&pair.consistent, row)?;
        if let Some(migration) = self.transition_of(&pair.new) {
            agreed = format!("{agreed} OR {}", self.words.reads_new(migration.id));
        }
        let mut choices = Vec::new();
        for part in kept {
            let name = self.words.ident(&part.column.name);
            let stored = self.bound(&name, row)?;
            let up = &part.up;
            choices.push(format!(
                "CASE WHEN {agreed} THEN {stored} ELSE {up} END AS {name}"
            ));
            assigned.push((name, part.value.clone()));
        }
        let (names, values): (Vec<String>, Vec<String>) = assigned.into_iter().unzip();
        let (names, values, choices) = (names.join(", "), values.join(", "), choices.join(", "));
        Ok((
            format!("({names})"),
            format!("(SELECT {values} FROM (SELECT {choices}) AS {KEPT})"),
        ))
    }

    fn written_parts<'p>(
        &self,
        pair: &'p Pair,
        writes: Writes,
        columns: &[(&Column, String)],
        old: &[(&str, String)],
    ) -> Result<Vec<Part<'p>>, ExpressionError> {
        let part = |(column, up): (&'p Column, &str)| {
            let up = self.bound(up, old)?;
            let parameter = parameter_of(column, columns);
            let value = match parameter {
                Some(parameter) => self.words.typed_parameter(column, parameter),
                None if writes == Writes::Old => format!("({up})"),
                None => format!("{KEPT}.{}", self.words.ident(&column.name)),
            };
            let written = parameter.is_some();
            Ok(Part {
                column,
                up,
                value,
                written,
            })
        };
        parts(pair).map(part).collect()
    }

    fn bound(
        &self,
        expression: &str,
        values: &[(&str, String)],
    ) -> Result<String, ExpressionError> {
        let replacements: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.words.bind(expression, &replacements)
    }
}

/// Whether a write names no other new column of the pair before this one.
pub(super) fn is_first_of(pair: &Pair, column: &Column, columns: &[(&Column, String)]) -> bool {
    let is_part = |written: &Column| parts(pair).any(|(part, _)| part.name == written.name);
    let mut written = columns.iter().map(|(written, _)| *written);
    written
        .find(|written| is_part(written))
        .is_some_and(|first| first.name == column.name)
}

/// The new columns of the old ones, each with its `up`.
fn parts(pair: &Pair) -> impl Iterator<Item = (&Column, &str)> {
    let alone = pair
        .split
        .is_empty()
        .then_some((&pair.new, pair.up.as_str()));
    let of_split = pair
        .split
        .iter()
        .map(|part| (&part.column, part.up.as_str()));
    alone.into_iter().chain(of_split)
}

/// Columns by name, each as it is found.
fn of<'c>(columns: &'c [Column], found: &impl Fn(&Column) -> String) -> Vec<(&'c str, String)> {
    let columns = columns.iter();
    columns
        .map(|column| (column.name.as_str(), found(column)))
        .collect()
}

fn parameter_of<'c>(column: &Column, columns: &'c [(&Column, String)]) -> Option<&'c str> {
    let mut columns = columns.iter();
    let found = columns.find(|(written, _)| written.name == column.name);
    found.map(|(_, parameter)| parameter.as_str())
}
