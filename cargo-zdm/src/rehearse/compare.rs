//! What is known of a row by its writes, and whether a row that was read is it.
//!
//! Comes in: writes and reads of both forms of the code. Goes out: what the next read may return, or how it differs.
//! A value that one form has written is the other's by `up`: code that reads old must see what converts to the new value that was
//! written last, code that reads new must see what the old value converts to. Their own values come back as they are.
//! Must not know: where this is kept, stages.

use serde::{Deserialize, Serialize};
use zdm_model::Column;

use super::handle::Handle;
use super::make::inputs;
use super::meaning::Meaning;
use super::repository::Row;
use super::table::{Group, Kind, Tab, is_number};
use super::value::{Value, Values, shown};
use crate::pipeline::rehearsed::Form;

/// What is known of the values of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Exactly these are old's; of the same column on both sides, both's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old: Option<Values>,
    /// Exactly these are new's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new: Option<Values>,
    /// What a fill may have been computed from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    past: Vec<Values>,
}

impl Known {
    /// Both sides', of a column that is the same on both or is in one table alone.
    pub(super) fn exactly(values: Values) -> Self {
        Self {
            old: Some(values),
            ..Self::default()
        }
    }

    /// The value of such a column.
    pub(super) fn value(&self) -> Option<&Value> {
        self.old.as_ref()?.first()
    }
}

/// Whether a row of which this is known is found by that key: code of the other form may have written another one.
pub(super) fn is_found_by(tab: &Tab, form: Form, known: &[Known], handle: &Handle) -> bool {
    let (Some(side), Some(key)) = (tab.side(form), handle.key(form)) else {
        return false;
    };
    let mut key = side.key().into_iter().zip(key);
    key.all(|(place, value)| {
        let mut groups = tab.groups.iter().zip(known);
        let exactly = groups.find_map(|(group, known)| {
            let at = group
                .places(form)
                .iter()
                .position(|other| *other == place)?;
            let known = match form {
                Form::Old => known.old.as_ref(),
                Form::New | Form::Final if group.kind == Kind::Plain => known.old.as_ref(),
                Form::New | Form::Final => known.new.as_ref(),
            };
            known?.get(at)
        });
        tab.identity(form).contains(&place) || exactly == Some(value)
    })
}

/// What is known after a row was written as a whole; `before` is what was known of it, where it was there.
pub(super) fn written(tab: &Tab, form: Form, row: &Row, before: Option<&[Known]>) -> Vec<Known> {
    let mut given = row.given.iter().cloned();
    let groups = tab.groups.iter().enumerate();
    groups
        .map(|(at, group)| {
            let before = before.and_then(|known| known.get(at));
            let values = group.of(form, &row.values);
            let mut known = after(group, form, values, before);
            if group.kind == Kind::Fill && known.new.is_none() {
                let past = before.filter(|known| known.new.is_none());
                known.past = past.map(|known| known.past.clone()).unwrap_or_default();
                known.past.extend(inputs(tab, group, form, &row.values));
            }
            if group.is_one_way() && form != Form::Old {
                known.old = Some(given.by_ref().take(group.old.len()).collect());
            }
            known
        })
        .collect()
}

/// What is known after one column was written, which is a group of its own.
pub(super) fn set(tab: &Tab, form: Form, place: usize, value: &Value, known: &mut [Known]) {
    for (group, known) in tab.groups.iter().zip(known) {
        if group.places(form) == [place] {
            *known = after(group, form, vec![value.clone()], Some(known));
        }
    }
}

fn after(group: &Group, form: Form, values: Values, before: Option<&Known>) -> Known {
    let stays = || before.cloned().unwrap_or_default();
    let old = Known::exactly;
    let new = |values| Known {
        new: Some(values),
        ..Known::default()
    };
    match (group.kind, form) {
        // Who does not know the column leaves it alone, and stores rows that have none of it.
        (Kind::Moved, _) if values.is_empty() => {
            before.cloned().unwrap_or_else(|| old(vec![Value::Null]))
        }
        (Kind::Plain | Kind::Moved, _) | (Kind::Pairs | Kind::OldOnly, Form::Old) => old(values),
        (Kind::Pairs | Kind::Fill | Kind::NewOnly, Form::New | Form::Final) => new(values),
        // The column was there before, and may be NULL.
        (Kind::Fill, Form::Old) if values.iter().any(Value::is_null) => old(values),
        (Kind::Fill, Form::Old) if !values.is_empty() => new(values),
        (Kind::Fill | Kind::NewOnly, Form::Old) | (Kind::OldOnly, _) => stays(),
    }
}

/// How a row that code of this form has read differs from what is known of it; `None`: it is that row.
pub(super) async fn difference(
    meaning: &Meaning,
    (at, tab): (usize, &Tab),
    form: Form,
    known: &[Known],
    row: &[Value],
) -> Option<String> {
    for (number, (group, known)) in tab.groups.iter().zip(known).enumerate() {
        let read = group.of(form, row);
        if read.is_empty() {
            continue;
        }
        let found = differs(meaning, (at, number), (tab, group), form, known, &read).await;
        if let Err(expected) = found {
            let columns = columns(tab, group, form);
            let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
            return Some(format!(
                "{} was last written as {expected}, read ({})",
                names.join(", "),
                shown(&read)
            ));
        }
    }
    None
}

async fn differs(
    meaning: &Meaning,
    place: (usize, usize),
    (tab, group): (&Tab, &Group),
    form: Form,
    known: &Known,
    read: &[Value],
) -> Result<(), String> {
    let own = columns(tab, group, form);
    let exactly = |expected: &Values| same(&own, expected, read);
    match (group.kind, form, &known.old, &known.new) {
        (Kind::Plain | Kind::OldOnly | Kind::Moved, _, Some(old), _)
        | (Kind::Pairs, Form::Old, Some(old), _) => exactly(old),
        (Kind::Pairs | Kind::NewOnly, Form::New | Form::Final, _, Some(new))
        | (Kind::Fill, _, _, Some(new)) => exactly(new),
        (Kind::Pairs, Form::Old, None, Some(new)) => {
            let converted = meaning.up(place, read).await;
            let converted = converted.map_err(|error| error.to_string())?;
            let news = columns(tab, group, Form::New);
            same(&news, new, &converted).map_err(|expected| {
                format!(
                    "{expected} of new, and this converts to ({})",
                    shown(&converted)
                )
            })
        }
        (Kind::Pairs, Form::New | Form::Final, Some(old), None) => {
            let converted = meaning.up(place, old).await;
            let converted = converted.map_err(|error| error.to_string())?;
            same(&own, &converted, read)
                .map_err(|expected| format!("({}) of old, which is {expected}", shown(old)))
        }
        (Kind::Fill, _, old, None) => {
            if form == Form::Old && old.as_ref().is_none_or(|old| exactly(old).is_ok()) {
                return Ok(());
            }
            let mut expected = Err("nothing".to_owned());
            for past in &known.past {
                let filled = meaning.up(place, past).await;
                let filled = filled.map_err(|error| error.to_string())?;
                expected = exactly(&filled);
                if expected.is_ok() {
                    break;
                }
            }
            if known.past.is_empty() {
                Ok(())
            } else {
                expected
            }
        }
        // Whoever inserted the row does not know the column: the database's default is in it.
        _ => Ok(()),
    }
}

fn columns<'a>(tab: &'a Tab, group: &Group, form: Form) -> Vec<&'a Column> {
    let columns = tab.side(form).map_or(&[][..], |side| &side.columns);
    let places = group.places(form).iter();
    places.filter_map(|place| columns.get(*place)).collect()
}

fn same(columns: &[&Column], expected: &[Value], read: &[Value]) -> Result<(), String> {
    let both = expected.iter().zip(read);
    let alike = columns
        .iter()
        .zip(both)
        .all(|(column, (expected, read))| alike(column, expected, read));
    if alike && expected.len() == read.len() {
        Ok(())
    } else {
        Err(format!("({})", shown(expected)))
    }
}

/// Whether two values of a column are the same to who reads it: a number may be spelled in more than one way.
pub(super) fn alike(column: &Column, one: &Value, other: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Int(_) | Value::Text(_) => value.shown().parse::<f64>().ok(),
        Value::Real(number) => Some(*number),
        Value::Null | Value::Blob(_) => None,
    };
    let as_numbers = || match (number(one), number(other)) {
        #[allow(clippy::float_cmp, reason = "the same number in another spelling")]
        (Some(one), Some(other)) => one == other,
        _ => false,
    };
    one == other || (is_number(column) && as_numbers())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn tab(kinds: &[Kind]) -> Tab {
        let groups = kinds.iter().enumerate().map(|(at, kind)| Group {
            kind: *kind,
            old: if matches!(kind, Kind::Fill | Kind::NewOnly) {
                vec![]
            } else {
                vec![at]
            },
            new: if *kind == Kind::OldOnly {
                vec![]
            } else {
                vec![at]
            },
            pairs: Vec::new(),
        });
        Tab {
            name: "users".to_owned(),
            old: None,
            new: None,
            groups: groups.collect(),
            identity: [vec![0], vec![0]],
            calls: BTreeMap::new(),
            referenced: false,
            driven: true,
        }
    }

    fn row(values: [i64; 2]) -> Row {
        let values = values.map(Value::Int).to_vec();
        Row {
            values,
            given: Vec::new(),
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "as it is compared")]
    fn exactly(value: i64) -> Option<Values> {
        Some(vec![Value::Int(value)])
    }

    #[test]
    fn a_write_of_one_form_leaves_what_only_the_other_knows() {
        let tab = tab(&[Kind::OldOnly, Kind::NewOnly]);
        let by_old = written(&tab, Form::Old, &row([1, 0]), None);
        assert_eq!((&by_old[0].old, &by_old[1].new), (&exactly(1), &None));
        let by_new = written(&tab, Form::New, &row([0, 2]), Some(&by_old));
        assert_eq!((&by_new[0].old, &by_new[1].new), (&exactly(1), &exactly(2)));
        let again = written(&tab, Form::New, &row([0, 3]), None);
        assert_eq!(
            again[0],
            Known::default(),
            "the database's default is in it"
        );
    }

    #[test]
    fn the_last_writer_of_a_pair_says_what_it_is() {
        let tab = tab(&[Kind::Pairs, Kind::Plain]);
        let by_old = written(&tab, Form::Old, &row([1, 5]), None);
        assert_eq!((&by_old[0].old, &by_old[0].new), (&exactly(1), &None));
        let mut known = written(&tab, Form::Final, &row([2, 5]), Some(&by_old));
        assert_eq!((&known[0].old, &known[0].new), (&None, &exactly(2)));
        set(&tab, Form::Old, 0, &Value::Int(3), &mut known);
        assert_eq!((&known[0].old, &known[0].new), (&exactly(3), &None));
        assert_eq!(known[1].old, exactly(5), "the other column stays");
    }

    #[test]
    fn a_filled_value_is_new_code_s_as_soon_as_that_has_written_it() {
        let tab = tab(&[Kind::Plain, Kind::Fill]);
        let by_new = written(&tab, Form::New, &row([1, 7]), None);
        let by_old = written(&tab, Form::Old, &row([2, 0]), Some(&by_new));
        assert_eq!(by_old[1].new, exactly(7), "old code does not touch it");
    }

    #[test]
    fn numbers_are_alike_however_they_are_spelled_and_texts_are_not() {
        let column = |logical_type: &str| -> Column {
            let json = serde_json::json!({
                "name": "n", "field": "n", "rust_type": "N", "logical_type": logical_type, "nullable": true,
            });
            serde_json::from_value(json).unwrap()
        };
        let (one, other) = (Value::text("7"), Value::text("07"));
        assert!(alike(&column("int4"), &one, &other));
        assert!(alike(&column("float8"), &Value::Real(7.0), &Value::Int(7)));
        assert!(!alike(&column("text"), &one, &other));
        assert!(!alike(&column("int4"), &one, &Value::Null));
    }
}
