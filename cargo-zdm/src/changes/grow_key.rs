//! An integer of the key that grows, with all that refers to it.

mod refused;

use zdm_model::{Column, FinalName, LogicalType, Table, names};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::change_auto::counting;
use super::conversion::{Conversion, Way};
use super::replace_column::arrive;
use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, Growing, Growth, Pair};

pub(super) const KIND: Kind = Kind {
    name: "grow_key",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TypeChanged(at, old, new) = delta else {
        return Ok(None);
    };
    let (Some(before), Some(after)) = (context.before(&at.table), context.to.table(&at.table))
    else {
        return Ok(None);
    };
    let Some(names) = taken_over(before, new) else {
        return Ok(None);
    };
    let key = Key {
        context,
        at,
        before,
        after,
        old,
        new,
        names,
    };
    key.refuse()?;
    key.change().map(Some)
}

/// What to declare instead of another type of a column of the key.
pub(super) fn way_on(context: &Context<'_>, old: &Column, new: &Column) -> String {
    let name = &old.name;
    if context.dialect.capabilities().renaming_views && refused::grows(old, new) {
        format!("Let the key grow: `#[zdm(from(\"{name}\"), final_name = \"{name}\")]`")
    } else {
        instead(name)
    }
}

/// What leads to a key of another type.
pub(super) fn instead(name: &str) -> String {
    format!(
        "Keep `{name}` as it is and let another column take its place in the key: add that one, filled by `up`, in a version of its own, \
         and declare the key anew in the next; foreign keys may stay on the old key where its columns get `unique` then"
    )
}

/// The names of a column that comes beside the one of the key which it replaces.
fn taken_over<'a>(before: &Table, new: &'a Column) -> Option<&'a FinalName> {
    let names = new.transition.as_ref()?.final_name.as_ref()?;
    before.primary_key.contains(&names.last).then_some(names)
}

/// A column of the key on its way.
struct Key<'a> {
    context: &'a Context<'a>,
    at: &'a Place,
    before: &'a Table,
    after: &'a Table,
    old: &'a Column,
    new: &'a Column,
    names: &'a FinalName,
}

impl Key<'_> {
    fn change(&self) -> Result<Change, ChangeError> {
        let (at, dialect) = (self.at, self.context.dialect);
        let subject = format!("{}.{}", at.table, self.old.name);
        let interim = format!("{}.{}", at.table, self.names.interim);
        let (narrow, wide) = (dialect.type_of(self.old), dialect.type_of(self.new));
        let pair = self.pair()?;
        let growth = self.growth(&pair);
        let mut change = Change::new(
            at,
            Route::FivePhases,
            format!("let the key's `{subject}` grow from {narrow} to {wide}"),
        )
        .because(
            Phase::Expand,
            format!("{wide} stands beside {narrow}, in {interim}, and a trigger keeps the two equal, whoever writes"),
        )
        .because(
            Phase::DualWrite,
            format!("old instances read {subject} as {narrow}, and go before it changes"),
        )
        .because(Phase::Backfill, format!("rows from before have no {interim} yet"))
        .because(
            Phase::SwitchReads,
            format!("{interim} is NOT NULL once every row agrees, as a key has to be"),
        )
        .because(
            Phase::Contract,
            format!("{interim} takes the place of {subject} in one transaction, with what refers to it, while code reads either"),
        );
        change = arrive(self.context, change, at, (&[], &self.beside()), None);
        let grow = |growing| Alteration::Grow(growing);
        change = change
            .alter(Section::Expand, at, grow(Growing::Keep(growth.clone())))
            .alter(
                Section::Release,
                at,
                grow(Growing::Exchange(growth.clone())),
            )
            .late()
            .alter_for_good(
                Section::Drop,
                at,
                grow(Growing::Leave(growth.clone())),
                format!("{subject} has no {narrow} beside it any more"),
            )
            .alter(Section::Drop, at, Alteration::DropColumn(growth.released));
        change.others = self.referring();
        change.pair = Some(pair);
        Ok(change)
    }

    /// The wide column as it stands beside the other one.
    fn beside(&self) -> Column {
        Column {
            name: self.names.interim.clone(),
            auto: false,
            counted: None,
            ..self.new.clone()
        }
    }

    /// Both sides by the names that the view gives them.
    fn pair(&self) -> Result<Pair, ChangeError> {
        let old = Column {
            name: names::released(&self.old.name),
            auto: false,
            counted: None,
            ..self.old.clone()
        };
        let mut table = self.before.clone();
        table.columns.push(old.clone());
        let new = self.beside();
        let Some(transition) = &self.new.transition else {
            return Err(self.refused("nothing says what it replaces", "Declare `from`".to_owned()));
        };
        let way = Way {
            context: self.context,
            at: self.at,
            table: &table,
            old: std::slice::from_ref(&old),
            new: &new,
            transition,
        };
        let Conversion { mut pair, .. } = way.replacing()?;
        // Rows are found by what is the key at the moment, compared as the wide type.
        for key in &mut pair.key {
            if key.name == self.old.name {
                key.logical_type = self.new.logical_type;
            }
        }
        Ok(pair)
    }

    fn growth(&self, pair: &Pair) -> Growth {
        let dialect = self.context.dialect;
        Growth {
            name: pair.view.clone().unwrap_or_default(),
            key: self.before.primary_key.clone(),
            column: self.old.name.clone(),
            interim: self.names.interim.clone(),
            released: names::released(&self.old.name),
            narrow: dialect.type_of(self.old),
            wide: dialect.type_of(self.new),
            fits: match self.old.logical_type {
                LogicalType::Int2 => (i16::MIN.into(), i16::MAX.into()),
                _ => (i32::MIN.into(), i32::MAX.into()),
            },
            counting: counting(self.old),
        }
    }

    /// The other tables with a foreign key that refers to the column.
    fn referring(&self) -> Vec<String> {
        let schemas = [self.context.from, self.context.to];
        let tables = schemas.into_iter().flat_map(|schema| &schema.tables);
        let refers = |table: &&Table| {
            let mut keys = table.foreign_keys.iter();
            table.name != self.at.table
                && keys.any(|key| {
                    key.references == self.at.table
                        && key.referenced_columns.contains(&self.old.name)
                })
        };
        tables
            .filter(refers)
            .map(|table| table.name.clone())
            .collect()
    }

    fn refused(&self, problem: impl Into<String>, way_on: String) -> ChangeError {
        ChangeError::Declaration {
            at: Box::new(self.at.clone()),
            subject: format!("{}.{}", self.at.table, self.old.name),
            problem: problem.into(),
            way_on,
        }
    }
}
