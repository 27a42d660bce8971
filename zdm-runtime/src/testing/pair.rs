//! Old and new side of a column, as generated tests describe them.
//!
//! Must not know: what is tried of them.

use super::values::Values;

/// What replaces what, with the expressions that the migration's statements are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The table, unquoted.
    pub table: &'static str,
    /// The columns that go.
    pub old: &'static [Column],
    /// The columns that come.
    pub new: &'static [Column],
    /// Per new column, its value over the old ones.
    pub up: &'static [&'static str],
    /// Per old column, its value over the new ones; none where the pair is one-way.
    pub down: &'static [&'static str],
    /// Whether the sides of a row agree.
    pub consistent: &'static str,
    /// The old values that `up` cannot convert.
    pub unconvertible: Unconvertible,
    /// What does not come back by `down`.
    pub up_loses: Loses,
    /// What does not come back by `up`.
    pub down_loses: Loses,
}

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Unquoted.
    pub name: &'static str,
    /// As the database declares it.
    pub sql_type: &'static str,
    /// It may be NULL.
    pub nullable: bool,
    /// What is tried of it.
    pub values: Values,
}

/// The old values that have no new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unconvertible {
    /// There are none.
    Nothing,
    /// The version says by `on_invalid` what becomes of them.
    Known {
        /// `on_invalid`
        rule: &'static str,
        /// The condition that they fulfil, as far as the row tells.
        condition: Option<&'static str>,
        /// `up` as it is declared, which fails on them or gives NULL.
        up: &'static str,
    },
}

/// The values of one side that the other one does not give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loses {
    /// Values of these kinds, and no others.
    Kinds(&'static [&'static str]),
    /// The conversion is built in: what it loses is proved.
    BuiltIn(&'static str),
}

impl Loses {
    /// Every value comes back.
    pub const NOTHING: Self = Self::Kinds(&[]);
}

impl Pair {
    /// `users.age ↔ age_years`
    pub(super) fn name(&self) -> String {
        let names = |side: &[Column]| {
            let names: Vec<_> = side.iter().map(|column| column.name).collect();
            names.join(", ")
        };
        format!("{}.{} ↔ {}", self.table, names(self.old), names(self.new))
    }

    /// Rows that wait, or stop the backfill, have no new value.
    pub(super) fn waits(&self) -> bool {
        matches!(
            self.unconvertible,
            Unconvertible::Known {
                rule: "quarantine" | "reject",
                ..
            }
        )
    }
}
