//! The pairs of a table that cannot convert every value, and what becomes of the others.
//!
//! Must not know: statements.

use serde::Serialize;
use zdm_model::OnInvalid;

use crate::dialect::Dialect;
use crate::plan::Pair;

/// A pair whose `up` cannot convert every value.
#[derive(Clone, Serialize)]
pub(super) struct Fallible {
    column: String,
    value_type: String,
    /// There is something to convert.
    given: String,
    up: String,
    /// NULL stands for it: `down` gives it back. None where there is no `down`.
    given_back: Option<String>,
}

pub(super) fn fallible(dialect: &Dialect, pairs: &[&Pair]) -> Vec<Fallible> {
    pairs
        .iter()
        .filter(|pair| {
            matches!(
                pair.on_invalid,
                Some(OnInvalid::Quarantine | OnInvalid::Reject)
            ) && !pair.is_fill()
                && pair.with.is_none()
        })
        .map(|pair| {
            let old: Vec<String> = pair
                .old
                .iter()
                .map(|old| dialect.ident(&old.name))
                .collect();
            let given: Vec<String> = old
                .iter()
                .map(|name| format!("{name} IS NOT NULL"))
                .collect();
            let types: Vec<String> = old.iter().map(|name| dialect.type_of_value(name)).collect();
            Fallible {
                column: pair.new.name.clone(),
                value_type: types.join(" || ', ' || "),
                given: if let [one] = &given[..] {
                    one.clone()
                } else {
                    format!("({})", given.join(" OR "))
                },
                up: format!("({})", pair.up),
                given_back: given_back(dialect, pair),
            }
        })
        .collect()
}

fn given_back(dialect: &Dialect, pair: &Pair) -> Option<String> {
    let sides = pair.old.iter().zip(&pair.down);
    let agree = sides
        .map(|(old, down)| dialect.agrees(old, &dialect.ident(&old.name), &format!("({down})")));
    let agree: Vec<String> = agree.collect();
    (!agree.is_empty()).then(|| format!("({})", agree.join(" AND ")))
}

/// The strictest rule among the pairs of a table: their rows are converted together.
pub(super) fn strictest(pairs: &[&Pair]) -> &'static str {
    const FROM_LENIENT: [&str; 5] = ["total", "default", "null", "quarantine", "reject"];
    pairs
        .iter()
        .map(|pair| pair.rule())
        .max_by_key(|rule| FROM_LENIENT.iter().position(|other| other == rule))
        .unwrap_or("total")
}
