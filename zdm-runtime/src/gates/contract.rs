//! What stands before old goes, or is renamed away and goes later, and before it comes back.
//!
//! Comes in: a section of contract's end, facts. Goes out: gates. Must not know: other sections.

use super::condition as c;
use super::{Gate, Policy, Side};
use crate::Stage::Complete;
use crate::facts::Facts;
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
            c::section_done(Section::Keep, facts),
            c::kept(facts),
            c::kept_long_enough(facts),
            c::backed_up(facts, policy),
            c::approved(facts, policy),
        ],
        (_, Direction::Up) => vec![
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
        ],
        (Section::Keep, Direction::Down) => vec![
            c::standing(&[Complete], facts),
            c::drained(facts),
            c::nothing_later_begun(facts),
            c::section_undone(Section::DropKept, facts),
        ],
        (_, Direction::Down) => vec![c::standing(&[Complete], facts), c::drained(facts)],
    }
}
