//! Columns that leave a table for a new one, which holds at most one row for each of its rows.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::split_found::Found;
use super::terms::Terms;
use super::{beside_key, source_of};
use crate::changes::{Change, ChangeError, Context, Kind, create_table};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, Ends, Move, Triggers};

pub(in crate::changes) const KIND: Kind = Kind {
    name: "split_table",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TableAdded(part) = delta else {
        return Ok(None);
    };
    let Some(split) = &part.split_from else {
        return Ok(None);
    };
    let at = Place {
        table: part.name.clone(),
        source: part.source.clone(),
    };
    let found = Found {
        terms: Terms {
            context,
            at: &at,
            subject: &part.name,
        },
        part,
        split,
    };
    let moved = found.moved()?;
    let Some(mut change) = create_table::claim(context, delta)? else {
        return Ok(None);
    };
    let main = &moved.main;
    let names: Vec<_> = moved.columns.iter().map(|(old, _)| &old.name).collect();
    let quoted: Vec<_> = names
        .iter()
        .map(|name| format!("`{main}.{name}`"))
        .collect();
    change.line = format!(
        "move {} to the new table `{}`",
        quoted.join(", "),
        part.name
    );
    change.route = Route::FivePhases;
    for drafted in &mut change.alterations {
        if let Alteration::CreateTable(shape) = &mut drafted.alteration {
            shape.origin = Some(Box::new(moved.origin()));
        }
    }
    change.others.push(main.clone());
    let on_main = Place {
        table: main.clone(),
        source: part.source.clone(),
    };
    let triggers = [
        (&on_main, moved.of_main(context.dialect, context.id)),
        (&at, moved.of_part(context.dialect, context.id)),
    ];
    change = because(change, &moved);
    for (place, triggers) in &triggers {
        let create = Alteration::CreateTriggers(triggers.clone());
        change = change.alter(Section::DualWrite, place, create);
    }
    change = leave(change, &triggers, &on_main, &names);
    change.moved = Some(moved);
    Ok(Some(change))
}

fn because(change: Change, moved: &Move) -> Change {
    let (main, part) = (&moved.main, &moved.part);
    change
        .because(
            Phase::DualWrite,
            format!("triggers keep {main} and {part} together, whichever of them is written"),
        )
        .because(
            Phase::Backfill,
            format!("rows of {main} from before have no row in {part} yet"),
        )
        .because(
            Phase::SwitchReads,
            format!("readers move to {part} once every row agrees"),
        )
        .because(
            Phase::Contract,
            format!("the columns of {main} go only when no instance names them"),
        )
}

/// Contract: the triggers name the columns.
fn leave(
    mut change: Change,
    triggers: &[(&Place, Triggers); 2],
    on_main: &Place,
    names: &[&String],
) -> Change {
    for (place, triggers) in triggers {
        let kept = match triggers.on {
            Ends::Main => &triggers.table,
            Ends::Part => &triggers.other,
        };
        let reason = format!("the columns of {kept} that they keep are gone");
        let drop = Alteration::DropTriggers(triggers.clone());
        change = change.alter_for_good(Section::Drop, place, drop, reason);
    }
    for name in names {
        let drop = Alteration::DropColumn((*name).clone());
        change = change.alter(Section::Drop, on_main, drop);
    }
    change
}

/// Whether the column moves out of the table with this version.
pub(super) fn leaves(context: &Context<'_>, main: &str, column: &str) -> bool {
    let splits = context.to.tables.iter().filter(|part| {
        let split = part.split_from.as_ref();
        split.is_some_and(|split| split.table == main) && context.before(&part.name).is_none()
    });
    splits
        .flat_map(beside_key)
        .any(|moved| source_of(moved) == column)
}
