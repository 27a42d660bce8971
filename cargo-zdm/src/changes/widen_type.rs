//! A type that takes every value of the column's type, as it is stored.

use zdm_model::{Column, LogicalType, Table};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::dialect::widens;
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "widen_type",
    documentation: "Expand alters the type in the catalogue: no row is read or written, and statements that are prepared go on, \
                    because generated lists name the column with a cast to the type without bounds. Only for a longer text \
                    and a `numeric` of the same scale, where neither a check nor an expression of an index names the column: \
                    these would be compared with every row. It is not taken back: old code works on the wider column.",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TypeChanged(at, old, new) = delta else {
        return Ok(None);
    };
    if !context.widens(&at.table, old, new) {
        return Ok(None);
    }
    let (old_type, new_type) = (context.dialect.type_of(old), context.dialect.type_of(new));
    let subject = format!("{}.{}", at.table, new.name);
    let line = format!("widen the type of `{subject}` from {old_type} to {new_type}");
    let reason = format!("{new_type} takes every value of {old_type}, as it is stored");
    let alteration = Alteration::SetType(new.name.clone(), new_type);
    let stays =
        format!("old code works on the wider {subject}, and {old_type} would write every row anew");
    Ok(Some(
        Change::new(at, Route::Direct, line)
            .because(Phase::Expand, reason)
            .alter_for_good(Section::Expand, at, alteration, stays),
    ))
}

impl Context<'_> {
    /// Whether the column keeps its place while its type grows.
    pub(super) fn widens(&self, table: &str, old: &Column, new: &Column) -> bool {
        let tables = [self.before(table), self.to.table(table)];
        // A list that names the column bare would change its type under prepared statements.
        let is_cast = old.sql_type.is_some() && old.logical_type != LogicalType::Custom;
        is_cast
            && old.logical_type == new.logical_type
            && widens(&self.dialect.type_of(old), &self.dialect.type_of(new))
            && !tables
                .into_iter()
                .flatten()
                .any(|table| self.compares(table, &new.name))
    }

    /// Whether an expression over the column is compared with every row when its type changes.
    fn compares(&self, table: &Table, column: &str) -> bool {
        let checks = table.checks.iter().map(|check| check.expr.as_str());
        let predicates = table
            .indexes
            .iter()
            .filter_map(|index| index.predicate.as_deref());
        let mut expressions = checks.chain(predicates);
        let mut keys = table.foreign_keys.iter();
        expressions.any(|text| {
            self.columns_of(&[], Some(text))
                .iter()
                .any(|name| name == column)
        }) || keys.any(|key| key.columns.iter().any(|name| name == column))
    }
}
