//! The statements of a table's backfill. Keys and both ends of a range travel as text.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::{Column, Function};
use zdm_runtime::manifest::{Backfill, ComputedColumn};
use zdm_runtime::phase::BACKFILL_FOLDER;

use super::about::{batch_of, bounds_of, inputs_of, refused_of, reverse_of};
use super::computed::Computed;
use super::fallible::{Fallible, fallible, strictest};
use super::writer::Writer;
use super::{Identity, address, checksums};
use crate::dialect::{Dialect, DialectError};
use crate::plan::{Pair, Plan};
use crate::render::rust;

/// Rows that differ are named so far in a comparison of a whole table at once.
const NAMED_ROWS: u32 = 1_000;

/// What the templates see.
#[derive(Serialize)]
pub(super) struct View {
    /// What the rows are reached through, quoted: the table, or a view of it.
    pub(super) rows: String,
    /// Names of the key columns.
    key: Vec<String>,
    /// The key columns as text.
    texts: Vec<String>,
    least: Vec<String>,
    greatest: Vec<String>,
    ascending: String,
    descending: String,
    /// Qualified, because PostgreSQL calls the text of a key by the key's own name, and would order by the text.
    ascending_of_ends: String,
    /// The rows from `$1..$k` to `$k+1..$2k`.
    pub(super) range: String,
    limit: String,
    /// The end of the range.
    end: String,
    /// So many rows are named at most; of rows with a key, whose ranges are short, all.
    most: Option<u32>,
    assignments: Vec<String>,
    pub(super) consistent: String,
    pairs: Vec<Agreement>,
    fallible: Vec<Fallible>,
    /// A function of the application fills a column.
    computed: Option<Computed>,
}

/// When a pair's sides agree.
#[derive(Clone, Serialize)]
struct Agreement {
    column: String,
    consistent: String,
}

/// A table's backfill: the manifest's entry and its files by path.
pub(super) struct Files {
    pub(super) backfill: Backfill,
    pub(super) texts: BTreeMap<String, String>,
}

pub(super) fn render(
    plan: &Plan,
    dialect: &Dialect,
    identity: &Identity,
    table: &str,
) -> Result<Option<Files>, DialectError> {
    let pairs: Vec<&Pair> = plan.pairs_of(table).collect();
    let Some(first) = pairs.first() else {
        return Ok(None);
    };
    let folder = folder(plan, table);
    let mut writer = Writer {
        plan,
        dialect,
        identity,
        folder: &folder,
        texts: BTreeMap::new(),
    };
    let mut write = |name: &str, about: &str, template: &str, view: &View| {
        writer.write(name, about, template, view)
    };
    let view = view(dialect, table, &first.key, &pairs);
    let k = first.key.len();
    let range = format!("{} to {}", parameters(1, k), parameters(k + 1, k));
    let reverse = reverse_view(plan, dialect, table, &first.key);
    let computed = pairs.iter().find_map(|pair| pair.with.clone());
    let addresses = first.addresses.as_ref();
    let (about_bounds, bounds) = bounds_of(addresses);
    let (about, template) = batch_of(computed.as_ref(), &range);
    let mut backfill = Backfill {
        table: table.to_owned(),
        key: first.key.iter().map(|column| column.name.clone()).collect(),
        columns: pairs.iter().map(|pair| pair.new.name.clone()).collect(),
        bounds: write("bounds", about_bounds, bounds, &view)?,
        boundary: write(
            "boundary",
            &format!(
                "Backfill: where a batch ends. Keys {range}, both included; at most ${} rows.",
                2 * k + 1
            ),
            "boundary",
            &view,
        )?,
        count: write(
            "count",
            &format!("Backfill: how many rows there are from {range}, both included."),
            "count",
            &view,
        )?,
        batch: write("batch", &about, template, &view)?,
        reverse: reverse
            .as_ref()
            .map(|reverse| write("reverse", &reverse_of(&range), "update", reverse))
            .transpose()?,
        verify: write(
            "verify",
            &format!("Verification: rows from {range}, and how many of them do not agree."),
            "verify",
            &view,
        )?,
        mismatches: write(
            "mismatches",
            &format!("Verification: which new columns of which rows from {range} do not agree."),
            "mismatches",
            &view,
        )?,
        checksums: None,
        invalid: if view.fallible.is_empty() {
            None
        } else {
            Some(write(
                "invalid",
                &format!(
                    "Quarantine: rows from {range} whose value cannot be converted, with its type."
                ),
                "invalid",
                &view,
            )?)
        },
        computed: None,
        address: None,
        on_invalid: strictest(&pairs).to_owned(),
        optional: pairs
            .iter()
            .filter(|pair| pair.optional)
            .map(|pair| pair.new.name.clone())
            .collect(),
    };
    backfill.computed = computed
        .map(|function| writer.computed(table, function, &range, &pairs, &view))
        .transpose()?;
    backfill.address = addresses
        .map(|addresses| address::render(&mut writer, addresses, &view, reverse.as_ref()))
        .transpose()?;
    let mut texts = writer.texts;
    if addresses.is_none_or(|addresses| addresses.in_blocks) {
        let checksums = checksums::of_pairs(dialect, table, &pairs, &view);
        let path = checksums.write(plan, dialect, identity, &folder, &mut texts)?;
        backfill.checksums = Some(path);
    }
    Ok(Some(Files { backfill, texts }))
}

impl Writer<'_> {
    fn computed(
        &mut self,
        table: &str,
        function: Function,
        range: &str,
        pairs: &[&Pair],
        view: &View,
    ) -> Result<ComputedColumn, DialectError> {
        let is_sealed = pairs.iter().any(|pair| pair.seal.is_some());
        // Where new may not be NULL, nothing can be taken away; and nobody reads it before the quarantine is empty.
        let is_taken = pairs
            .iter()
            .any(|pair| pair.seal.is_some() && pair.optional);
        let about = inputs_of(&function, range, is_sealed);
        let inputs = self.write("inputs", &about, "inputs", view)?;
        let about = refused_of(&function, range);
        let refused = is_taken.then(|| self.write("refused", &about, "refused", view));
        Ok(ComputedColumn {
            refused: refused.transpose()?,
            function: function.path,
            taken: function.inputs,
            module: (self.folder != BACKFILL_FOLDER).then(|| rust::module_of(table)),
            inputs,
        })
    }
}

/// Where the table's statements stand: in a folder of its own where several tables are filled.
fn folder(plan: &Plan, table: &str) -> String {
    if plan.pairs.iter().any(|pair| pair.table != table) {
        format!("{BACKFILL_FOLDER}/{table}")
    } else {
        BACKFILL_FOLDER.to_owned()
    }
}

/// What the way back sees: the pairs with an old side, if there is a way back and such a pair.
fn reverse_view(plan: &Plan, dialect: &Dialect, table: &str, key: &[Column]) -> Option<View> {
    let two_sided: Vec<&Pair> = plan
        .pairs_of(table)
        .filter(|pair| !pair.is_fill())
        .collect();
    (plan.reversible && !two_sided.is_empty()).then(|| View {
        assignments: reverse_assignments(dialect, &two_sided),
        consistent: all_consistent(&two_sided),
        ..view(dialect, table, key, &two_sided)
    })
}

pub(super) fn view(dialect: &Dialect, table: &str, key: &[Column], pairs: &[&Pair]) -> View {
    let text = |prefix: &str| texts(dialect, key, prefix);
    let order = |prefix: &str, direction: &str| {
        let columns: Vec<String> = key
            .iter()
            .map(|column| format!("{prefix}{}{direction}", dialect.ident(&column.name)))
            .collect();
        columns.join(", ")
    };
    let view = pairs.iter().find_map(|pair| pair.view.as_deref());
    View {
        rows: view.map_or_else(|| dialect.relation(table), |view| dialect.own(view)),
        key: key.iter().map(|column| column.name.clone()).collect(),
        texts: text(""),
        least: text("lowest."),
        greatest: text("highest."),
        ascending: order("", ""),
        descending: order("", " DESC"),
        ascending_of_ends: order("ends.", ""),
        range: range(dialect, key, ""),
        limit: format!("${}", 2 * key.len() + 1),
        end: ends(dialect, key).1.join(", "),
        most: pairs
            .iter()
            .any(|pair| pair.addresses.is_some())
            .then_some(NAMED_ROWS),
        assignments: assignments(dialect, pairs),
        consistent: all_consistent(pairs),
        pairs: pairs
            .iter()
            .map(|pair| Agreement {
                column: pair.new.name.clone(),
                consistent: all_consistent(&[*pair]),
            })
            .collect(),
        fallible: fallible(dialect, pairs),
        computed: pairs
            .iter()
            .find(|pair| pair.with.is_some())
            .map(|pair| Computed::of(dialect, key, pair)),
    }
}

/// The columns of a key as text, each behind a prefix.
pub(super) fn texts(dialect: &Dialect, key: &[Column], prefix: &str) -> Vec<String> {
    key.iter()
        .map(|column| {
            let name = dialect.ident(&column.name);
            dialect.key_text(column, &format!("{prefix}{name}"))
        })
        .collect()
}

/// Both ends included. A range of one column is what every planner knows best; several are compared as a row.
pub(super) fn range(dialect: &Dialect, key: &[Column], prefix: &str) -> String {
    let (start, end) = ends(dialect, key);
    let names: Vec<String> = key
        .iter()
        .map(|column| format!("{prefix}{}", dialect.ident(&column.name)))
        .collect();
    if let [name] = &names[..] {
        format!("{name} BETWEEN {} AND {}", start.join(""), end.join(""))
    } else {
        let names = names.join(", ");
        format!(
            "({names}) >= ({}) AND ({names}) <= ({})",
            start.join(", "),
            end.join(", ")
        )
    }
}

/// The parameters of a range's start and end.
fn ends(dialect: &Dialect, key: &[Column]) -> (Vec<String>, Vec<String>) {
    let parameters = |first: usize| -> Vec<String> {
        let numbered = key.iter().enumerate();
        numbered
            .map(|(index, column)| dialect.key_parameter(column, &format!("${}", first + index)))
            .collect()
    };
    (parameters(1), parameters(key.len() + 1))
}

/// One pair is set outright, since only rows that do not agree are touched; of several, those that agree stay, and a copy
/// of what is there already changes nothing.
fn assignments(dialect: &Dialect, pairs: &[&Pair]) -> Vec<String> {
    pairs
        .iter()
        .map(|pair| assignment(dialect, &pair.new.name, &pair.up, pair, pairs.len()))
        .collect()
}

fn reverse_assignments(dialect: &Dialect, pairs: &[&Pair]) -> Vec<String> {
    let leading = pairs.iter().filter(|pair| pair.leads());
    leading
        .flat_map(|pair| {
            pair.old
                .iter()
                .zip(&pair.down)
                .map(|(old, down)| assignment(dialect, &old.name, down, pair, pairs.len()))
        })
        .collect()
}

fn assignment(dialect: &Dialect, column: &str, value: &str, pair: &Pair, pairs: usize) -> String {
    let column = dialect.ident(column);
    if pairs == 1 || pair.is_copy(dialect) {
        format!("{column} = {value}")
    } else {
        format!(
            "{column} = CASE WHEN {} THEN {column} ELSE {value} END",
            pair.consistent
        )
    }
}

fn all_consistent(pairs: &[&Pair]) -> String {
    let mut conditions: Vec<&str> = Vec::new();
    for pair in pairs {
        // The columns that an old one is split into have one for all of them.
        if !conditions.contains(&pair.consistent.as_str()) {
            conditions.push(&pair.consistent);
        }
    }
    match &conditions[..] {
        [one] if one.starts_with('(') => (*one).to_owned(),
        conditions => format!("({})", conditions.join(" AND ")),
    }
}

/// `$1` or `($1, $2)`.
pub(super) fn parameters(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count)
        .map(|number| format!("${number}"))
        .collect();
    if let [one] = &names[..] {
        one.clone()
    } else {
        format!("({})", names.join(", "))
    }
}
