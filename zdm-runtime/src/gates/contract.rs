//! What stands before old goes, or is renamed away and goes later, and before it comes back.
//!
//! Comes in: a section of contract's end, facts. Goes out: gates. Must not know: other sections.

use super::condition as c;
use super::{Gate, Policy, Side};
use crate::Stage::Complete;
use crate::facts::{Fact, Facts};
use crate::manifest::Direction;
use crate::phase::Section;

/// The gates of such a section.
pub(super) fn of(
    section: Section,
    direction: Direction,
    facts: &Facts,
    policy: &Policy,
) -> Vec<Gate> {
    match (section, direction) {
        (Section::DropKept, Direction::Up) => vec![
            c::standing(&[Complete], facts),
            c::not_paused(facts),
            c::kept_whole(facts),
            c::kept(facts),
            c::kept_long_enough(facts),
            c::backed_up(facts, policy),
            c::approved(facts, policy),
        ],
        (_, Direction::Up) => {
            let mut gates = vec![
                c::standing(&[Complete], facts),
                c::not_paused(facts),
                c::drained(facts),
                c::contracted_in_turn(facts),
                c::enough_instances(facts, policy),
                c::acknowledged(facts),
                c::final_everywhere(facts),
                c::section_done(Section::Release, facts),
                c::quarantine_settled(facts),
                c::soaked(facts, policy),
                c::sleepers_gone(Side::Old, facts, policy),
                c::backed_up(facts, policy),
                c::approved(facts, policy),
            ];
            gates.extend(c::row_security(section, facts));
            gates
        }
        (Section::Keep, Direction::Down) => vec![
            c::standing(&[Complete], facts),
            c::drained(facts),
            c::nothing_later_begun(facts),
            c::section_undone(Section::DropKept, facts),
        ],
        (_, Direction::Down) => vec![c::standing(&[Complete], facts), c::drained(facts)],
    }
}

/// Before what is kept is dropped though its time is not over. Nobody has agreed to that who did so before contract.
pub fn for_early_drop(facts: &Facts, policy: &Policy) -> Vec<Gate> {
    let since = match &facts.record {
        Fact::Known(record) => record.kept_since,
        Fact::Unknown(_) => None,
    };
    let mut gates = super::for_section(Section::DropKept, Direction::Up, facts, policy);
    for gate in &mut gates {
        match gate.name {
            "kept_long_enough" => *gate = c::ended_early(facts),
            "approved" => *gate = c::approved_since(since.unwrap_or(i64::MAX), facts, policy),
            _ => {}
        }
    }
    gates
}
