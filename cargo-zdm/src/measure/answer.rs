//! From the rows of an answer to facts and examples.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use zdm_runtime::database::{Row, Value};
use zdm_runtime::manifest::{EdgeFacts, Losses, RowFacts, Rows};

/// The longest value that is shown in full.
const SHOWN: usize = 60;

/// A row that was found, by its key, with what becomes of its value: `'007'`, `7`, `'7'`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Example {
    pub(crate) key: Vec<String>,
    pub(crate) steps: Vec<String>,
}

/// The first few rows of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Examples {
    pub(crate) unconvertible: Vec<Example>,
    pub(crate) lost_by_up: Vec<Example>,
    pub(crate) lost_by_down: Vec<Example>,
}

#[derive(Deserialize)]
struct Found {
    key: Vec<String>,
    steps: Vec<Json>,
}

/// The answer to a question's `rows`; `None` where it has another shape.
pub(super) fn rows(answer: &[Row]) -> Option<(RowFacts, Examples)> {
    let [row] = answer else { return None };
    let (all, unconvertible, losses) = match &row[..] {
        [all, count, first] => (all, found(count, first)?, None),
        [all, count, first, up, first_up, down, first_down] => (
            all,
            found(count, first)?,
            Some((found(up, first_up)?, found(down, first_down)?)),
        ),
        _ => return None,
    };
    let facts = RowFacts {
        rows: number(all)?,
        unconvertible: unconvertible.0,
        losses: losses.as_ref().map(|(up, down)| Losses {
            up: up.0.clone(),
            down: down.0.clone(),
        }),
    };
    let (lost_by_up, lost_by_down) = losses.map(|(up, down)| (up.1, down.1)).unwrap_or_default();
    let examples = Examples {
        unconvertible: unconvertible.1,
        lost_by_up,
        lost_by_down,
    };
    Some((facts, examples))
}

/// The answer to a question's `edges`.
pub(super) fn edges(answer: &[Row]) -> Option<EdgeFacts> {
    let mut facts = EdgeFacts::default();
    for row in answer {
        let [Value::Text(Some(text))] = &row[..] else {
            return None;
        };
        let (value, refused, changed, back): (Json, Json, Json, Json) =
            serde_json::from_str(text).ok()?;
        facts.tried += 1;
        if is_true(&refused) {
            facts.refused.push(shown(&value));
        } else if is_true(&changed) {
            facts.changed.push((shown(&value), shown(&back)));
        }
    }
    Some(facts)
}

/// `SQLite`'s truth is a number.
fn is_true(value: &Json) -> bool {
    value == &Json::Bool(true) || value == &Json::from(1)
}

fn found(count: &Value, first: &Value) -> Option<(Rows, Vec<Example>)> {
    let found: Vec<Found> = match first {
        Value::Text(Some(text)) => serde_json::from_str(text).ok()?,
        Value::Text(None) => Vec::new(),
        Value::Int(_) => return None,
    };
    let rows = Rows {
        count: number(count)?,
        keys: found.iter().map(|found| found.key.clone()).collect(),
    };
    let examples = found.into_iter().map(|found| Example {
        key: found.key,
        steps: found.steps.iter().map(shown).collect(),
    });
    Some((rows, examples.collect()))
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(Some(number)) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// As SQL would write it, cut where it is long.
fn shown(value: &Json) -> String {
    match value {
        Json::Null => "NULL".to_owned(),
        Json::String(text) => {
            let cut: String = text.chars().take(SHOWN).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            format!("'{}{more}'", cut.replace('\'', "''"))
        }
        Json::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_sql_and_cut() {
        assert_eq!(shown(&json!("it's")), "'it''s'");
        assert_eq!(shown(&json!(["a", null, 7, true])), "'a', NULL, 7, true");
        let long = shown(&json!("ü".repeat(61)));
        assert!(long.ends_with("ü…'"), "{long}");
    }

    #[test]
    fn an_answer_of_another_shape_is_none() {
        let count = Value::Int(Some(1));
        let first = Value::Text(None);
        assert!(rows(&[vec![count.clone(), count.clone(), first.clone()]]).is_some());
        assert_eq!(rows(&[vec![count.clone(), count]]), None);
        assert_eq!(rows(&[]), None);
        assert_eq!(edges(&[vec![first]]), None);
    }
}
