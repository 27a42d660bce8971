//! What the models do not say, by object and reason.

use std::fmt::Write as _;

use serde::Serialize;

/// Something that an import could not put into the models as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// How much of it the models lack.
    pub kind: Kind,
    /// `trigger`, `index`, `column`.
    pub what: String,
    /// Its name, with the table's where it belongs to one.
    pub object: String,
    /// Why, and what follows from it.
    pub reason: String,
}

/// How much of an object the models lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A table without a struct.
    Table,
    /// Nothing that a struct would say: left untouched.
    Unmanaged,
    /// No attribute says it yet: left untouched.
    NotRepresentable,
    /// It is in the models, but they do not tell all of it.
    Differs,
}

impl Kind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Table, "tables without a struct"),
        (Self::Unmanaged, "unmanaged: left untouched"),
        (
            Self::NotRepresentable,
            "not representable yet: left untouched",
        ),
        (Self::Differs, "in the models, with a difference"),
    ];
}

impl LeftOut {
    pub(super) fn new(
        kind: Kind,
        what: impl Into<String>,
        object: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            what: what.into(),
            object: object.into(),
            reason: reason.into(),
        }
    }
}

/// The list as text: what there is of each kind under its heading, one line each; empty where nothing was left out.
pub fn listed(left_out: &[LeftOut]) -> String {
    let mut text = String::new();
    for (kind, heading) in Kind::ALL {
        let of_kind: Vec<_> = left_out.iter().filter(|found| found.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{heading} ({})", of_kind.len());
        for found in of_kind {
            let LeftOut { what, object, .. } = found;
            match found.reason.as_str() {
                "" => writeln!(text, "  {what} {object}"),
                reason => writeln!(text, "  {what} {object}: {reason}"),
            }
            .unwrap_or_default();
        }
    }
    text
}

/// The same as a file of Rust comments.
pub fn as_comments(left_out: &[LeftOut]) -> String {
    let mut text = String::from(
        "// What `cargo zdm import` found in the database and the models do not say. Nothing of it is touched.\n",
    );
    for line in listed(left_out).lines() {
        let _ = writeln!(text, "{}", format!("// {line}").trim_end());
    }
    text
}
