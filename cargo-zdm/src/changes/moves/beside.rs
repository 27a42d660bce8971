//! What stands beside a move, and what may be one that nobody declared.

use zdm_model::{Column, Table};

use super::{is_part_of_move, merge, no_way_out, way_around};
use crate::changes::{ChangeError, Context};
use crate::diff::{self, Delta, Place};

/// A move of a version.
struct Moving<'a> {
    /// Where it is declared.
    at: Place,
    part: &'a str,
    main: &'a str,
    does: String,
}

impl<'a> Moving<'a> {
    /// The move that a delta is.
    fn of(context: &'a Context<'_>, delta: &'a Delta) -> Option<Self> {
        let (table, part, main, does) = match delta {
            Delta::TableAdded(part) => {
                let split = part.split_from.as_ref()?;
                let main = context.before(&split.table)?;
                (part, part, main, "comes out of")
            }
            Delta::TableRemoved(part) => {
                let main = merge::into(context, part)?;
                (main, part, main, "goes into")
            }
            Delta::ColumnAdded(at, column) if !is_part_of_move(context, delta) => {
                let main = context.to.table(&at.table)?;
                let (_, part) = diff::moved_into(context.from, main, column)?;
                (main, part, main, "gives columns to")
            }
            _ => return None,
        };
        Some(Self {
            at: place(table),
            part: &part.name,
            main: &main.name,
            does: format!("{} {does} {}", part.name, main.name),
        })
    }
}

/// A version with a move changes nothing else about its two tables and has no other change of five phases: while triggers
/// keep two tables together, none of them is rebuilt or written by another rule.
pub(in crate::changes) fn mistakes(context: &Context<'_>, deltas: &[Delta]) -> Vec<ChangeError> {
    let mut mistakes: Vec<ChangeError> = deltas
        .iter()
        .filter_map(|delta| unsaid(context, delta, deltas))
        .collect();
    let moving = |delta| Moving::of(context, delta);
    let all: Vec<Moving<'_>> = deltas.iter().filter_map(moving).collect();
    let Some((first, others)) = all.split_first() else {
        return mistakes;
    };
    for other in others {
        mistakes.push(mistake(
            &other.at,
            format!("{} in this version already", first.does),
            "Let columns move between no more than two tables in a version",
        ));
    }
    let concerned = [first.part, first.main];
    let beside = deltas.iter().find(|delta| {
        let goes_along =
            matches!(delta, Delta::IndexRemoved(..)) || is_part_of_move(context, delta);
        !goes_along
            && moving(delta).is_none()
            && (in_phases(delta) || concerned.contains(&delta.place().table.as_str()))
    });
    mistakes.extend(beside.map(|delta| {
        let at = delta.place();
        let what = if concerned.contains(&at.table.as_str()) {
            "something else changes here"
        } else {
            "a column of this table goes through several phases"
        };
        let text = format!("{what} in the version in which {}", first.does);
        mistake(&at, text, "Make it a version of its own, before or after")
    }));
    mistakes
}

fn in_phases(delta: &Delta) -> bool {
    match delta {
        Delta::ColumnReplaced { .. } | Delta::NullabilityChanged(..) => true,
        Delta::ColumnAdded(_, column) => column.transition.is_some(),
        _ => false,
    }
}

/// A column that goes while a table that is bound to its table comes with one of its type, or gets one of its name, and nothing
/// says what became of the values: they would be lost.
fn unsaid(context: &Context<'_>, delta: &Delta, deltas: &[Delta]) -> Option<ChangeError> {
    let Delta::ColumnRemoved(at, column, _) = delta else {
        return None;
    };
    let from = context.to.table(&at.table)?;
    let said = from.drops.iter().any(|drop| drop.column == column.name);
    if said || is_part_of_move(context, delta) {
        return None;
    }
    let of_its_type = |new: &&Column| new.logical_type == column.logical_type;
    let (to, new) = deltas.iter().find_map(|other| match other {
        // What a split brings is what its own attributes say.
        Delta::TableAdded(part) if part.split_from.is_none() && is_bound(part, from) => {
            let mut columns = part.columns.iter();
            let is_named = |new: &&Column| of_its_type(new) && new.name == column.name;
            let named = columns.clone().find(is_named);
            let could = |new: &&Column| of_its_type(new) && !part.primary_key.contains(&new.name);
            Some((part.name.as_str(), named.or_else(|| columns.find(could))?))
        }
        Delta::ColumnAdded(at, new)
            if new.moved_from.is_none() && new.name == column.name && of_its_type(&new) =>
        {
            let to = context.to.table(&at.table)?;
            let bound = to.name != from.name && (is_bound(to, from) || is_bound(from, to));
            bound.then_some((to.name.as_str(), new))
        }
        _ => None,
    })?;
    let (name, main) = (&column.name, &from.name);
    let moves = if context.before(to).is_none() {
        let from = if new.name == *name {
            String::new()
        } else {
            format!(" and #[zdm(from(\"{name}\"))] on `{}`", new.field)
        };
        format!(
            "    #[zdm(split_from = \"{main}({})\")]  on the struct of `{to}`{from}, if its values move there\n",
            context.to.table(main)?.primary_key.join(", ")
        )
    } else if is_bound(from, context.to.table(to)?) {
        format!(
            "    #[zdm(moved_from = \"{main}.{name}\")]  on `{}` of the struct of `{to}`, if its values move there\n",
            new.field
        )
    } else {
        let (problem, way_on) = (no_way_out(main, to), way_around(main, to));
        format!("    {problem}. {way_on}, before `{name}` goes\n")
    };
    Some(ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: format!("{main}.{name}"),
        problem: format!(
            "it is gone and `{to}.{}` is new: do its values move? Nothing is guessed. Choose one:",
            new.name
        ),
        way_on: format!(
            "{moves}    #[zdm(drops(\"{name}\"))]  on the struct of `{main}`, if its values go"
        ),
    })
}

/// A table that goes while one that it is bound to gets a column of its name and type, and nothing says what became of the values.
pub(in crate::changes) fn unsaid_merge(context: &Context<'_>, part: &Table) -> Option<ChangeError> {
    let (main, new) = context.to.tables.iter().find_map(|main| {
        let before = context.before(&main.name)?;
        let mut columns = main.columns.iter();
        let new = columns.find(|new| {
            let old = part.column(&new.name);
            before.column(&new.name).is_none()
                && old.is_some_and(|old| old.logical_type == new.logical_type)
        })?;
        is_bound(part, main).then_some((main, new))
    })?;
    let (gone, to) = (&part.name, &main.name);
    Some(ChangeError::Declaration {
        at: Box::new(place(main)),
        subject: gone.clone(),
        problem: format!(
            "no struct declares the table any more, and `{to}.{}` is new: do its values move? Nothing is guessed. Choose one:",
            new.name
        ),
        way_on: format!(
            "    #[zdm(merged_from = \"{gone}({})\")]  on the struct of `{to}`, if its values move there\n    \
             --drop-table {gone}  if they go",
            part.primary_key.join(", ")
        ),
    })
}

/// A `merged_from` whose table does not go: one that is misspelt says nothing, and its table is taken for dropped.
pub(in crate::changes) fn nothing_merges(
    context: &Context<'_>,
    deltas: &[Delta],
) -> Vec<ChangeError> {
    let goes = deltas
        .iter()
        .any(|delta| matches!(delta, Delta::TableRemoved(_)));
    let mains = context.to.tables.iter();
    mains
        .filter_map(|main| {
            let name = &main.merged_from.as_ref()?.table;
            let (was, is) = (context.before(name), context.to.table(name));
            let (problem, way_on) = match (was, is) {
                (Some(_), Some(_)) => (
                    format!("a struct still declares `{name}`, so that nothing is merged"),
                    "Remove that struct: its table stays until contract, and old code goes on with it",
                ),
                (None, None) if goes => (
                    format!("the last version has no table `{name}`, so that nothing is merged"),
                    "Name the table that goes, or remove `merged_from`, which is spent where the table is gone already",
                ),
                _ => return None,
            };
            Some(mistake(&place(main), problem, way_on))
        })
        .collect()
}

/// The key of the one is a foreign key to the other: each row has at most one.
fn is_bound(one: &Table, other: &Table) -> bool {
    let mut keys = one.foreign_keys.iter();
    keys.any(|key| key.references == other.name && one.primary_key == key.columns)
}

fn place(table: &Table) -> Place {
    Place {
        table: table.name.clone(),
        source: table.source.clone(),
    }
}

fn mistake(at: &Place, problem: String, way_on: &str) -> ChangeError {
    ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: at.table.clone(),
        problem,
        way_on: way_on.to_owned(),
    }
}
