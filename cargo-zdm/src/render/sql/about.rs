//! What the head of each file of a backfill says of it, and which template the file is made of.
//!
//! Must not know: what the templates see.

use zdm_model::Function;

use crate::dialect::Addresses;

/// What is asked for the ends of a table, and its template.
pub(super) fn bounds_of(addresses: Option<&Addresses>) -> (&'static str, &'static str) {
    if addresses.is_some_and(|addresses| addresses.in_blocks) {
        (
            "Backfill: the ends of the table's blocks.",
            "bounds_of_blocks",
        )
    } else {
        ("Backfill: the least and the greatest key.", "bounds")
    }
}

/// What a batch does, and its template.
pub(super) fn batch_of(computed: Option<&Function>, range: &str) -> (String, &'static str) {
    match computed {
        Some(function) => (
            format!(
                "Backfill: rows from {range}, both included, that are still as {} took them get the value that it gave.",
                function.path
            ),
            "computed",
        ),
        None => (
            format!(
                "Backfill: rows from {range}, both included, get their new side where it does not agree."
            ),
            "update",
        ),
    }
}

pub(super) fn reverse_of(range: &str) -> String {
    format!(
        "Backfill on the way back: rows from {range} get their old side where it does not agree."
    )
}

pub(super) fn inputs_of(function: &Function, range: &str, is_sealed: bool) -> String {
    let wait = if is_sealed {
        "whose sides do not agree"
    } else {
        "that have no value yet"
    };
    format!(
        "Backfill: rows from {range}, both included, {wait}: key, and what {} takes.",
        function.path
    )
}

pub(super) fn refused_of(function: &Function, range: &str) -> String {
    format!(
        "Backfill: rows from {range}, both included, that are still as {} took them, and for which it gave none, lose the value of \
         what they had before.",
        function.path
    )
}
