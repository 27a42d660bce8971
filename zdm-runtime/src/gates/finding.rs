//! From a fact to a gate: open, shut, or shut because nobody knows.

use super::Gate;
use crate::facts::{Fact, Facts, Standing};

/// An open gate with what was found.
pub(super) fn open(name: &'static str, reason: impl Into<String>) -> Gate {
    Gate {
        name,
        open: true,
        reason: reason.into(),
        opens: None,
    }
}

/// A shut gate with what was found and what opens it.
pub(super) fn shut(
    name: &'static str,
    reason: impl Into<String>,
    opens: impl Into<String>,
) -> Gate {
    Gate {
        name,
        open: false,
        reason: reason.into(),
        opens: Some(opens.into()),
    }
}

/// The gate that a fact gives, or the shut gate that its absence gives.
pub(super) fn known<T>(name: &'static str, fact: &Fact<T>, judge: impl FnOnce(&T) -> Gate) -> Gate {
    match fact {
        Fact::Known(found) => judge(found),
        Fact::Unknown(reason) => shut(
            name,
            format!("could not be read, so nothing is assumed: {reason}"),
            "when the control tables can be read",
        ),
    }
}

/// The gate that the stage gives, shut where the migration has none.
pub(super) fn standing(
    name: &'static str,
    facts: &Facts,
    judge: impl FnOnce(&Standing) -> Gate,
) -> Gate {
    known(name, &facts.standing, |standing| match standing {
        Some(standing) => judge(standing),
        None => shut(
            name,
            "the migration has no stage in this database",
            "`cargo zdm expand`",
        ),
    })
}

/// Many instances, for a sentence.
pub(super) fn names<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let labels: Vec<_> = labels.collect();
    let mut sentence = labels
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if labels.len() > SHOWN {
        sentence = format!("{sentence} and {} more", labels.len() - SHOWN);
    }
    sentence
}
