//! What the tests of a migration say of its pairs.
//!
//! Must not know: what is tried of them.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::{Column, LogicalType};

use super::Header;
use super::live::{self, LiveView, Parts};
use crate::dialect::Dialect;
use crate::plan::Pair;
use crate::render::rust::built_in::Client;
use crate::render::rust::names;
use crate::render::rust::{Model, Tests, Transition};

/// The tests of one migration.
#[derive(Debug, Serialize)]
pub(in crate::render::rust) struct TestsView {
    header: Header,
    folder: String,
    versions: String,
    pairs: Vec<PairView>,
    /// The whole way, where it can be gone.
    live: Option<LiveView>,
    /// What is not tested, and why not.
    left_out: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PairView {
    constant: String,
    /// The test's name up to its verb: `users_age_years`.
    name: String,
    conditions: Vec<String>,
    table: String,
    old: Vec<ColumnView>,
    new: Vec<ColumnView>,
    up: Vec<String>,
    down: Vec<String>,
    consistent: String,
    unconvertible: Option<UnconvertibleView>,
    up_loses: LosesView,
    down_loses: LosesView,
}

#[derive(Debug, Serialize)]
pub(super) struct ColumnView {
    name: String,
    sql_type: String,
    nullable: bool,
    /// `Text`
    values: String,
    /// The words, where there are only some.
    words: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct UnconvertibleView {
    rule: &'static str,
    condition: Option<String>,
    up: String,
}

#[derive(Debug, Serialize)]
struct LosesView {
    built_in: Option<String>,
    kinds: Vec<String>,
}

/// Folder and view of each migration that has something to test.
pub(in crate::render::rust) fn of(
    client: &Client,
    dialect: &Dialect,
    models: &[Model<'_>],
) -> Vec<(String, TestsView)> {
    let mut found: BTreeMap<String, Vec<(&Model<'_>, &Transition<'_>)>> = BTreeMap::new();
    for model in models {
        for transition in model.transitions().filter(|found| has_any(dialect, found)) {
            let parts = found.entry(transition.module()).or_default();
            parts.push((model, transition));
        }
    }
    let views = found.into_iter().map(|(folder, parts)| {
        let view = view(client, dialect, models, &parts);
        (folder, view)
    });
    views.collect()
}

/// Whether a migration of this table alone has something to test.
pub(in crate::render::rust) fn has_own(dialect: &Dialect, transition: &Transition<'_>) -> bool {
    !transition.shared && has_any(dialect, transition)
}

/// Whether a migration that these tables share has, by its folder.
pub(super) fn are_there(dialect: &Dialect, models: &[&Model<'_>], folder: &str) -> bool {
    let mut transitions = models.iter().flat_map(|model| model.transitions());
    transitions.any(|found| found.module() == folder && has_any(dialect, found))
}

fn has_any(dialect: &Dialect, transition: &Transition<'_>) -> bool {
    let Some(tests) = &transition.tests else {
        return false;
    };
    let mut pairs = transition.pairs.iter();
    pairs.any(|pair| left_out(dialect, tests, pair).is_none())
}

fn view<'a>(
    client: &'a Client,
    dialect: &'a Dialect,
    models: &'a [Model<'a>],
    parts: &'a [(&'a Model<'a>, &'a Transition<'a>)],
) -> TestsView {
    let (_, transition) = parts[0];
    let mut pairs = Vec::new();
    let mut not = Vec::new();
    for (model, transition) in parts {
        let Some(tests) = &transition.tests else {
            continue;
        };
        for pair in transition.pairs.iter().filter(|pair| pair.leads()) {
            match left_out(dialect, tests, pair) {
                None => pairs.push(pair_view(dialect, model, (tests, transition), pair)),
                Some(why) => not.push(format!("`{}.{}`: {why}", pair.table, pair.new.name)),
            }
        }
    }
    let tests = transition.tests.as_ref();
    let live = tests.and_then(|tests| {
        let parts = Parts {
            client,
            dialect,
            models,
            of: parts,
            tests,
        };
        let live = live::live(&parts);
        live.map_err(|problems| not.extend(problems)).ok()
    });
    TestsView {
        live,
        header: Header {
            source: "the models".to_owned(),
            regenerate: "change the structs and run `cargo zdm generate`",
            versions: None,
        },
        folder: transition.folder.clone(),
        versions: tests.map_or_else(String::new, |tests| tests.versions.clone()),
        pairs,
        left_out: not,
    }
}

fn pair_view(
    dialect: &Dialect,
    model: &Model<'_>,
    (tests, transition): (&Tests<'_>, &Transition<'_>),
    pair: &Pair,
) -> PairView {
    // What an old column is split into is one pair per part, with the same way back.
    let is_part = |other: &&Pair| {
        let mut parts = pair.split.iter();
        parts.any(|part| part.column.name == other.new.name)
    };
    let parts: Vec<&Pair> = if pair.split.is_empty() {
        vec![pair]
    } else {
        transition.pairs.iter().filter(is_part).collect()
    };
    let column = |column: &Column| column_view(dialect, tests, column);
    let news = parts.iter().map(|part| &part.new);
    let named = |lost: fn(&zdm_model::Transition) -> &Vec<String>| {
        let news = parts.iter().filter_map(|part| part.new.transition.as_ref());
        let mut kinds: Vec<String> = news.flat_map(lost).cloned().collect();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    let built_in = pair.built_in.as_ref();
    let known = |lost: Option<&String>| built_in.and(lost).cloned();
    let refused = built_in.filter(|found| found.refuses);
    let refused = refused.map(|_| "what old cannot hold is refused".to_owned());
    PairView {
        constant: constant(pair),
        name: name(pair),
        conditions: model.conditions.clone(),
        table: pair.table.clone(),
        old: pair.old.iter().filter_map(column).collect(),
        new: news.filter_map(column).collect(),
        up: parts.iter().map(|part| part.up.clone()).collect(),
        down: pair.down.clone(),
        consistent: pair.consistent.clone(),
        unconvertible: unconvertible(dialect, pair),
        up_loses: LosesView {
            built_in: known(built_in.and_then(|found| found.up_loses.as_ref())),
            kinds: named(|transition| &transition.up_loses),
        },
        down_loses: LosesView {
            built_in: known(built_in.and_then(|found| found.down_loses.as_ref())).or(refused),
            kinds: named(|transition| &transition.down_loses),
        },
    }
}

fn unconvertible(dialect: &Dialect, pair: &Pair) -> Option<UnconvertibleView> {
    pair.on_invalid.as_ref()?;
    Some(UnconvertibleView {
        rule: pair.rule(),
        condition: dialect.invalid(
            pair.valid_if.as_deref(),
            &pair.declared_up,
            pair.new.logical_type,
        ),
        up: pair.declared_up.clone(),
    })
}

/// `users_age_years`
fn name(pair: &Pair) -> String {
    let (table, field) = (names::module(&pair.table), names::bare(&pair.new.field));
    format!("{table}_{field}")
}

/// `USERS_AGE_YEARS`
pub(super) fn constant(pair: &Pair) -> String {
    name(pair).to_uppercase()
}

/// `None`: its values are not known.
pub(super) fn column_view(
    dialect: &Dialect,
    tests: &Tests<'_>,
    column: &Column,
) -> Option<ColumnView> {
    let words = words(tests, column);
    let known = match column.logical_type {
        LogicalType::Custom => false,
        LogicalType::Enum => words.is_some(),
        LogicalType::Text => true,
        _ => column.sql_type.is_none(),
    };
    known.then(|| ColumnView {
        name: column.name.clone(),
        sql_type: dialect.uncollated_type_of(column),
        nullable: column.nullable,
        values: format!("{:?}", column.logical_type),
        words,
    })
}

/// The values of an enum.
fn words(tests: &Tests<'_>, column: &Column) -> Option<Vec<String>> {
    let name = column.sql_type.as_ref()?;
    let mut enums = tests.enums.iter();
    let is_enum = column.logical_type == LogicalType::Enum;
    let found = enums.find(|found| is_enum && found.name == *name)?;
    Some(found.values.clone())
}

/// Why nothing is tried of a pair.
pub(super) fn left_out(dialect: &Dialect, tests: &Tests<'_>, pair: &Pair) -> Option<&'static str> {
    if pair.with.is_some() || pair.seal.is_some() {
        return Some("a function of the application converts it, which no database can call");
    }
    if pair.is_fill() {
        return Some("it has no old side");
    }
    if pair.is_of_key() {
        return Some("a trigger keeps both sides of the key");
    }
    let parts = pair.split.iter().map(|part| &part.column);
    let mut columns = pair.old.iter().chain([&pair.new]).chain(parts);
    let known = |column: &Column| column_view(dialect, tests, column).is_some();
    (!columns.all(known)).then_some("the values of its type are not known")
}
