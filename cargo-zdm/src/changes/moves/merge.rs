//! Columns that come into a table out of one that goes, which holds at most one row for each of its rows.

use zdm_model::{Column, Table};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::merge_found::{Found, moving};
use super::source_of;
use super::terms::Terms;
use crate::changes::{Change, ChangeError, Context, Kind};
use crate::diff::{self, Delta, Place};
use crate::plan::{Alteration, Move, column_shape};

pub(in crate::changes) const KIND: Kind = Kind {
    name: "merge_table",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TableRemoved(part) = delta else {
        return Ok(None);
    };
    let main = into(context, part);
    let Some((main, merged)) = main.and_then(|main| Some((main, main.merged_from.as_ref()?)))
    else {
        return Ok(None);
    };
    let at = Place {
        table: main.name.clone(),
        source: main.source.clone(),
    };
    let found = Found {
        terms: Terms {
            context,
            at: &at,
            subject: &main.name,
        },
        part,
        main,
        merged,
    };
    let moved = found.moved()?;
    let names: Vec<String> = moved
        .columns
        .iter()
        .map(|(new, _)| format!("`{}.{}`", main.name, new.name))
        .collect();
    let line = format!("move the table `{}` into {}", part.name, names.join(", "));
    let on_part = Place {
        table: part.name.clone(),
        source: at.source.clone(),
    };
    let change = because(Change::new(&at, Route::FivePhases, line), &moved).because(
        Phase::Contract,
        format!("{} goes only when no instance names it", part.name),
    );
    let drop = Alteration::DropTable(!part.foreign_keys.is_empty());
    let change = kept_together(change, context, &at, &on_part, &moved);
    Ok(Some(with_move(
        change.alter(Section::Drop, &on_part, drop),
        moved,
    )))
}

/// The change is this move.
pub(super) fn with_move(mut change: Change, moved: Move) -> Change {
    change.others.push(moved.part.clone());
    change.moved = Some(moved);
    change
}

/// Why columns that come into a table need their phases, up to contract.
pub(super) fn because(change: Change, moved: &Move) -> Change {
    let (main, part) = (&moved.main, &moved.part);
    change
        .because(
            Phase::Expand,
            format!(
                "triggers keep {main} and {part} together, before any code writes the new columns"
            ),
        )
        .because(
            Phase::Backfill,
            format!("rows of {main} from before lack what {part} has of them"),
        )
        .because(
            Phase::SwitchReads,
            format!("readers leave {part} once every row agrees"),
        )
}

/// The columns, and the triggers that keep the two tables together until contract.
pub(super) fn kept_together(
    mut change: Change,
    context: &Context<'_>,
    at: &Place,
    on_part: &Place,
    moved: &Move,
) -> Change {
    for (new, _) in &moved.columns {
        let column = column_shape(new, context.dialect);
        change = change
            .alter(Section::Expand, at, Alteration::AddColumn(column))
            .comment(Section::Expand, at, new);
    }
    let triggers = [
        (at, moved.of_main(context.dialect, context.id)),
        (on_part, moved.of_part(context.dialect, context.id)),
    ];
    for (place, triggers) in &triggers {
        let create = Alteration::CreateTriggers(triggers.clone());
        change = change.alter(Section::Expand, place, create);
    }
    // Whoever writes in between must not find a table that is no longer kept, and whose triggers write back what it holds.
    for (place, triggers) in triggers.into_iter().rev() {
        let reason = if moved.part_stays {
            format!("the columns of {} that they keep are gone", moved.part)
        } else {
            format!("{} is gone", moved.part)
        };
        let drop = Alteration::DropTriggers(triggers);
        change = change.alter_for_good(Section::Drop, place, drop, reason);
    }
    change
}

/// The table that one which goes is merged into.
pub(super) fn into<'a>(context: &Context<'a>, part: &Table) -> Option<&'a Table> {
    let mut tables = context.to.tables.iter();
    tables.find(|main| {
        let merged = diff::merged_into(context.from, context.to, main);
        merged.is_some_and(|merged| merged.name == part.name)
    })
}

/// Whether the column comes into the table with this version, out of one that goes.
pub(super) fn arrives(context: &Context<'_>, main: &str, column: &Column) -> bool {
    let Some(main) = context.to.table(main) else {
        return false;
    };
    let part = diff::merged_into(context.from, context.to, main);
    let mut merged = part.into_iter().zip(&main.merged_from);
    merged.any(|(part, merged)| moving(part, merged).any(|old| old.name == source_of(column)))
}
