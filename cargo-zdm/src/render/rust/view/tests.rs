//! What the tests of a migration say of its pairs.
//!
//! Must not know: what is tried of them.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::{Column, LogicalType};

use super::Header;
use crate::dialect::Dialect;
use crate::plan::Pair;
use crate::render::rust::names;
use crate::render::rust::{Model, Tests, Transition};

/// The tests of one migration.
#[derive(Debug, Serialize)]
pub(in crate::render::rust) struct TestsView {
    header: Header,
    folder: String,
    versions: String,
    pairs: Vec<PairView>,
    /// What is not tested, and why not.
    left_out: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PairView {
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
struct ColumnView {
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
    dialect: &Dialect,
    models: &[Model<'_>],
) -> Vec<(String, TestsView)> {
    let mut found: BTreeMap<String, Vec<(&Model<'_>, &Transition<'_>)>> = BTreeMap::new();
    for model in models {
        for transition in model.transitions().filter(|found| has_any(found)) {
            let parts = found.entry(transition.module()).or_default();
            parts.push((model, transition));
        }
    }
    let views = found.into_iter().map(|(folder, parts)| {
        let view = view(dialect, &parts);
        (folder, view)
    });
    views.collect()
}

/// Whether a migration of this table alone has something to test.
pub(in crate::render::rust) fn has_own(transition: &Transition<'_>) -> bool {
    !transition.shared && has_any(transition)
}

/// Whether a migration that these tables share has, by its folder.
pub(super) fn are_there(models: &[&Model<'_>], folder: &str) -> bool {
    let mut transitions = models.iter().flat_map(|model| model.transitions());
    transitions.any(|found| found.module() == folder && has_any(found))
}

fn has_any(transition: &Transition<'_>) -> bool {
    let Some(tests) = &transition.tests else {
        return false;
    };
    let mut pairs = transition.pairs.iter();
    pairs.any(|pair| left_out(tests, pair).is_none())
}

fn view(dialect: &Dialect, parts: &[(&Model<'_>, &Transition<'_>)]) -> TestsView {
    let (_, transition) = parts[0];
    let mut pairs = Vec::new();
    let mut not = Vec::new();
    for (model, transition) in parts {
        let Some(tests) = &transition.tests else {
            continue;
        };
        for pair in transition.pairs.iter().filter(|pair| pair.leads()) {
            match left_out(tests, pair) {
                None => pairs.push(pair_view(dialect, model, (tests, transition), pair)),
                Some(why) => not.push(format!("`{}.{}`: {why}", pair.table, pair.new.name)),
            }
        }
    }
    let tests = transition.tests.as_ref();
    TestsView {
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
        name: format!(
            "{}_{}",
            names::module(&pair.table),
            names::bare(&pair.new.field)
        ),
        conditions: model.conditions.clone(),
        table: pair.table.clone(),
        old: pair.old.iter().map(column).collect(),
        new: parts.iter().map(|part| column(&part.new)).collect(),
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

fn column_view(dialect: &Dialect, tests: &Tests<'_>, column: &Column) -> ColumnView {
    let words = words(tests, column);
    ColumnView {
        name: column.name.clone(),
        sql_type: dialect.uncollated_type_of(column),
        nullable: column.nullable,
        values: format!("{:?}", column.logical_type),
        words,
    }
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
fn left_out(tests: &Tests<'_>, pair: &Pair) -> Option<&'static str> {
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
    let known = |column: &Column| match column.logical_type {
        LogicalType::Custom => false,
        LogicalType::Enum => words(tests, column).is_some(),
        LogicalType::Text => true,
        _ => column.sql_type.is_none(),
    };
    (!columns.all(known)).then_some("the values of its type are not known")
}
