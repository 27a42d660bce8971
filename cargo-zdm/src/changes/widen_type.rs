//! A type that takes every value of the column's type, as it is stored.

use zdm_model::{Column, ForeignKey, LogicalType, Table};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind, at_once, refusal};
use crate::dialect::widens;
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "widen_type",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TypeChanged(at, old, new) = delta else {
        return Ok(None);
    };
    let compared = context.is_compared(&at.table, &new.name);
    if !context.widens(&at.table, old, new) {
        let in_place = context.dialect.capabilities().alter_in_place;
        return if in_place && compared && context.may_widen(&at.table, old, new) {
            Err(compared_once_more(refusal::of(context, delta)).unless_small())
        } else if let Some(key) = context.foreign_key_of(&at.table, &new.name)
            && in_place
            && context.takes_all(old, new)
        {
            Err(made_anew(refusal::of(context, delta), key))
        } else {
            Ok(None)
        };
    }
    let (old_type, new_type) = (context.dialect.type_of(old), context.dialect.type_of(new));
    let subject = format!("{}.{}", at.table, new.name);
    let line = format!("widen the type of `{subject}` from {old_type} to {new_type}");
    let reason = format!("{new_type} takes every value of {old_type}, as it is stored");
    let stays =
        format!("old code works on the wider {subject}, and {old_type} would write every row anew");
    let mut change = Change::new(at, Route::Direct, line).because(Phase::Expand, reason);
    if let Some(small) = context.small(&at.table).filter(|_| compared) {
        let reason = format!("every row is compared once more with what names {subject}");
        change = change
            .because(Phase::Expand, reason)
            .because(Phase::Expand, at_once(small));
    }
    let alteration = Alteration::SetType(new.name.clone(), new_type, compared);
    Ok(Some(change.alter_for_good(
        Section::Expand,
        at,
        alteration,
        stays,
    )))
}

fn compared_once_more(refused: ChangeError) -> ChangeError {
    let ChangeError::Unclaimed {
        at, what, way_on, ..
    } = refused
    else {
        return refused;
    };
    ChangeError::Unclaimed {
        at,
        what,
        reason: "in place, every row would be compared once more with the checks and partial indexes that name the column, \
                 while nobody can use the table"
            .to_owned(),
        way_on,
    }
}

fn made_anew(refused: ChangeError, key: &ForeignKey) -> ChangeError {
    let ChangeError::Unclaimed {
        at, what, way_on, ..
    } = refused
    else {
        return refused;
    };
    let (name, other) = (&key.name, &key.references);
    ChangeError::Unclaimed {
        at,
        what,
        reason: format!(
            "the foreign key `{name}` stands on the column, and with another type the database makes it anew, under a lock that \
             holds back the writes of {other} as well"
        ),
        way_on: format!(
            "{way_on}\nOr drop `{name}` in a version before, and add it again in one after"
        ),
    }
}

impl Context<'_> {
    /// Whether the column keeps its place while its type grows.
    pub(super) fn widens(&self, table: &str, old: &Column, new: &Column) -> bool {
        let in_place = self.dialect.capabilities().alter_in_place;
        self.may_widen(table, old, new)
            && (!self.is_compared(table, &new.name) || in_place && self.small(table).is_some())
    }

    /// The same, where rows may be compared once more.
    fn may_widen(&self, table: &str, old: &Column, new: &Column) -> bool {
        self.takes_all(old, new) && self.foreign_key_of(table, &new.name).is_none()
    }

    /// Whether the new type takes every value as it is stored, and no statement lists the column bare: that would change its type
    /// under prepared statements.
    fn takes_all(&self, old: &Column, new: &Column) -> bool {
        let is_cast = old.sql_type.is_some() && old.logical_type != LogicalType::Custom;
        is_cast
            && old.logical_type == new.logical_type
            && widens(&self.dialect.type_of(old), &self.dialect.type_of(new))
    }

    fn foreign_key_of(&self, table: &str, column: &String) -> Option<&ForeignKey> {
        let tables = self.before_and_after(table);
        let mut keys = tables.flat_map(|table| &table.foreign_keys);
        keys.find(|key| key.columns.contains(column))
    }

    /// Whether an expression over the column is compared with every row when its type changes.
    fn is_compared(&self, table: &str, column: &str) -> bool {
        let expressions = self.before_and_after(table).flat_map(|table| {
            let checks = table.checks.iter().map(|check| check.expr.as_str());
            let indexes = table.indexes.iter();
            checks.chain(indexes.filter_map(|index| index.predicate.as_deref()))
        });
        expressions
            .flat_map(|text| self.columns_of(&[], Some(text)))
            .any(|name| name == column)
    }

    fn before_and_after(&self, table: &str) -> impl Iterator<Item = &Table> {
        let tables = [self.before(table), self.to.table(table)];
        tables.into_iter().flatten()
    }
}
