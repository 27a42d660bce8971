//! Migrations of one table move one after the other: what one fills, the next one reads.

use super::super::Gate;
use super::super::finding::{known, open, shut};
use super::patience::span;
use crate::Stage;
use crate::facts::Facts;
use crate::neighbours::Neighbour;

/// Columns of an earlier version are filled and written by everybody before a later one takes its values from them; and a
/// later version that does so already would not see what is filled again.
pub(in crate::gates) fn in_turn(facts: &Facts) -> Gate {
    const NAME: &str = "in_turn";
    known(NAME, &facts.neighbours, |neighbours| {
        let mut earlier = filled_before(neighbours);
        if let Some(other) = earlier.find(|other| other.stage != Stage::Complete) {
            return shut(
                NAME,
                format!(
                    "{} came before it on the same table and is at {}: its columns are not yet what every writer keeps",
                    other.folder, other.stage
                ),
                format!("bring {} to complete first", other.folder),
            );
        }
        begun_later(NAME, neighbours)
            .unwrap_or_else(|| open(NAME, "no other migration of its tables is in transition"))
    })
}

/// Before writes keep old again: nothing later has begun to build on what they write now, and whoever writes gives the values
/// that lead back. At `complete` of a version that drops them nobody does.
pub(in crate::gates) fn nothing_later_begun(facts: &Facts) -> Gate {
    const NAME: &str = "nothing_later_begun";
    known(NAME, &facts.neighbours, |neighbours| {
        begun_later(NAME, neighbours)
            .or_else(|| left_later(NAME, neighbours))
            .unwrap_or_else(|| open(NAME, "no later migration of its tables has begun"))
    })
}

/// Before old is dropped: what an earlier version still has to drop goes first, and its way back with it.
pub(in crate::gates) fn contracted_in_turn(facts: &Facts) -> Gate {
    const NAME: &str = "contracted_in_turn";
    known(NAME, &facts.neighbours, |neighbours| {
        match filled_before(neighbours).next() {
            Some(other) => match other.kept_until {
                None => shut(
                    NAME,
                    format!(
                        "{} came before it on the same table and is not contracted",
                        other.folder
                    ),
                    format!("`cargo zdm contract {}` first", other.name),
                ),
                Some(until) => shut(
                    NAME,
                    format!(
                        "{} came before it on the same table and keeps old for another {}",
                        other.folder,
                        span(until - facts.now)
                    ),
                    format!(
                        "when that is dropped: `cargo zdm contract {name}`; `cargo zdm contract {name} --now` drops it before its time is over",
                        name = other.name
                    ),
                ),
            },
            None => open(NAME, "every earlier migration of its tables is contracted"),
        }
    })
}

/// The earlier ones that fill what the migration reads or drops.
fn filled_before(neighbours: &[Neighbour]) -> impl Iterator<Item = &Neighbour> {
    let earlier = neighbours.iter().filter(|other| other.earlier);
    earlier.filter(|other| other.fills && other.needed)
}

fn left_later(name: &'static str, neighbours: &[Neighbour]) -> Option<Gate> {
    let mut later = neighbours.iter().rev().filter(|other| !other.earlier);
    let other = later.find(|other| !other.fills && other.needed && other.stage != Stage::Off)?;
    Some(shut(
        name,
        format!(
            "{} came after it, drops what leads back to old, and is at {}: whoever writes gives it no value any more",
            other.folder, other.stage
        ),
        format!("`cargo zdm rollback {} --to off` first", other.name),
    ))
}

fn begun_later(name: &'static str, neighbours: &[Neighbour]) -> Option<Gate> {
    // The last one first: that is the order in which they are taken back.
    let mut later = neighbours.iter().rev().filter(|other| !other.earlier);
    let other = later.find(|other| other.fills && other.stage != Stage::Off)?;
    let way_on = if other.for_good {
        format!(
            "nothing leads back over {}, which has no way back from its first dual write on: go on forward, `cargo zdm advance`",
            other.folder
        )
    } else {
        format!("`cargo zdm rollback {} --to off` first", other.name)
    };
    Some(shut(
        name,
        format!(
            "{} came after it on the same table and is at {}",
            other.folder, other.stage
        ),
        way_on,
    ))
}
