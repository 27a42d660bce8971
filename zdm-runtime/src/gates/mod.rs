//! The conditions of the protocol: what has to hold before a migration may move, each with what was found.
//!
//! Comes in: [`Facts`] and a [`Policy`]. Goes out: a list of [`Gate`]s. Pure: what is unknown shuts its gate.
//! Must not know: any database, any clock but the facts' own.

mod condition;
mod contract;
mod finding;
#[cfg(test)]
mod tests;
mod waivers;

use std::time::Duration;

use condition as c;

pub use condition::{PAST_RETURN, no_return};

pub use crate::verification::Side;
pub use condition::{Waiting, standing_on};
pub use contract::for_early_drop;
pub use waivers::WAIVABLE;

use waivers::waive;

use crate::code::CodeState;
use crate::database::catalogue::Reference;
use crate::facts::Facts;
use crate::manifest::{Direction, Manifest, Route};
use crate::phase::Section;
use crate::room::Beyond;
use crate::{Share, Stage};

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name, for waivers and the audit log.
    pub name: &'static str,
    /// It holds, or was waived.
    pub open: bool,
    /// What was found.
    pub reason: String,
    /// What opens it, or when; for a shut gate.
    pub opens: Option<String>,
}

/// What a team demands beyond the protocol, from `zdm.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long `ramp_down` lasts before `complete`, and `complete` before old is dropped.
    pub soak: Duration,
    /// How long each share of readers lasts at `live` before the next.
    pub dwell: Duration,
    /// A full comparison after the last reader has moved, before `ramp_down`: the only net under writers outside the application.
    pub verify_again: bool,
    /// Old is dropped only after a backup was recorded.
    pub backup: bool,
    /// So many people have to approve that old is dropped, beside whoever drops it.
    pub approvals: u32,
    /// Who drops it.
    pub actor: String,
    /// How long an instance whose lease has ended may still come back and name what goes: old, or new where expand is undone.
    pub sleepers: Duration,
    /// Instances that the team runs at least; 0 where nobody says, and then unregistered ones go unseen.
    pub instances: u32,
    /// Names of gates that were waived for this migration; those that guard data cannot be.
    pub waivers: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            soak: Duration::from_hours(24),
            dwell: Duration::ZERO,
            verify_again: true,
            backup: false,
            approvals: 0,
            actor: String::new(),
            sleepers: Duration::from_mins(10),
            instances: 0,
            waivers: Vec::new(),
        }
    }
}

/// Before anything that `advance` does by itself, at whatever stage.
pub fn for_advance(facts: &Facts) -> Vec<Gate> {
    vec![c::not_rolled_back(facts)]
}

/// Before a hop forward; from `live` to `live` for a greater share, or one that is counted differently.
pub fn for_hop(from: Stage, to: Stage, facts: &Facts, policy: &Policy) -> Vec<Gate> {
    let hop = c::Hop { from, to };
    let mut gates = vec![
        c::one_hop(hop, facts),
        c::standing(&[from], facts),
        c::not_paused(facts),
        c::drained(facts),
        c::expanded(facts),
        c::in_turn(facts),
        c::enough_instances(facts, policy),
        c::known_everywhere(facts),
        c::acknowledged(facts),
    ];
    match (facts.route, to) {
        (Route::Rename, Stage::Complete) => gates.push(c::section_done(Section::Release, facts)),
        (Route::Rename | Route::ExpandContract | Route::Direct, _) | (_, Stage::Off) => {}
        (Route::FivePhases, Stage::DualWrite) => {
            gates.push(c::section_done(Section::DualWrite, facts));
        }
        (Route::FivePhases, Stage::Shadow) => gates.extend([
            c::backfilled(Side::New, facts),
            c::verified(Side::New, facts),
            c::quarantine_readable(facts),
            c::section_done(Section::SwitchReads, facts),
        ]),
        (Route::FivePhases, Stage::Live) => {
            gates.extend([
                c::verified(Side::New, facts),
                c::quarantine_readable(facts),
                c::no_shadow_mismatch(facts),
            ]);
            if from == Stage::Live {
                gates.push(c::dwelt(facts, policy));
            }
        }
        (Route::FivePhases, Stage::RampDown) => gates.extend([
            c::everyone_reads_new(facts),
            c::nobody_holds_back(facts),
            c::verified(Side::New, facts),
            c::no_shadow_mismatch(facts),
            c::dwelt(facts, policy),
            c::verified_again(facts, policy),
        ]),
        (Route::FivePhases, Stage::Complete) => {
            gates.extend([
                c::verified(Side::New, facts),
                c::section_done(Section::Release, facts),
                c::soaked(facts, policy),
            ]);
            if !facts.reversible {
                // Nothing leads back to where a value in quarantine could be mended.
                gates.push(c::quarantine_settled(facts));
            }
        }
    }
    // Rights may have changed since.
    gates.extend(c::between(facts));
    waive(gates, policy)
}

/// Before triggers keep two tables together between which columns move; empty where none do.
pub fn for_triggers(facts: &Facts, policy: &Policy) -> Vec<Gate> {
    waive(c::between(facts), policy)
}

/// Before a way back; from `live` to `live` for a smaller share. No pause and no policy stands in the way of a rollback.
pub fn for_back(from: Stage, to: Stage, facts: &Facts) -> Vec<Gate> {
    let hop = c::Hop { from, to };
    let mut gates = vec![c::way_back(hop, facts), c::standing(&[from], facts)];
    match (from, to) {
        (Stage::Complete, Stage::Off) => {
            gates.extend([
                c::drained(facts),
                c::nothing_later_begun(facts),
                c::section_undone(Section::Drop, facts),
                c::section_undone(Section::Keep, facts),
            ]);
        }
        (Stage::Complete, _) => gates.extend([
            c::drained(facts),
            c::nothing_later_begun(facts),
            c::section_undone(Section::Drop, facts),
            c::section_undone(Section::Keep, facts),
            c::reversible(facts),
            c::nobody_final(facts),
        ]),
        // Code from before the migration names columns by their old names.
        (_, Stage::Off) if facts.route == Route::Rename => gates.extend([
            c::drained(facts),
            c::section_undone(Section::Release, facts),
        ]),
        (_, Stage::Off) => gates.extend([
            c::drained(facts),
            c::acknowledged(facts),
            c::section_undone(Section::SwitchReads, facts),
        ]),
        _ => gates.push(c::verified(Side::Old, facts)),
    }
    gates
}

/// The shut gate of a share of readers that is no way back.
pub(crate) fn no_smaller_share(present: Share, wanted: Share) -> Gate {
    let reason = if present.by() == wanted.by() {
        let (wanted, present) = (wanted.basis_points(), present.basis_points());
        format!("{wanted} basis points are more than the present {present}")
    } else {
        let (wanted, present) = (wanted.by().name(), present.by().name());
        format!("reads are shared by {present}: by {wanted}, others would read new than do now")
    };
    let opens =
        "go forward to a greater share or one that is counted differently, back to a smaller one";
    finding::shut("smaller_share", reason, opens)
}

/// Before a section's `up.sql` or `down.sql` is executed.
pub fn for_section(
    section: Section,
    direction: Direction,
    facts: &Facts,
    policy: &Policy,
) -> Vec<Gate> {
    use Stage::{Complete, DualWrite, Live, Off, RampDown, Shadow};
    let mut gates = match (section, direction) {
        (Section::Expand, Direction::Up) => vec![c::not_contracted(facts)],
        (Section::Expand, Direction::Down) => {
            let mut gates = vec![
                c::not_contracted(facts),
                c::standing_if_any(&[Off], facts),
                c::drained(facts),
                c::nobody_knows(facts),
                c::sleepers_gone(Side::New, facts, policy),
            ];
            let later = [
                Section::DualWrite,
                Section::SwitchReads,
                Section::Release,
                Section::Drop,
                Section::Keep,
                Section::DropKept,
            ];
            gates.extend(later.map(|section| c::section_undone(section, facts)));
            gates
        }
        (Section::DualWrite, Direction::Up) => {
            let own = vec![
                c::not_paused(facts),
                c::expanded(facts),
                c::standing(&[Off, DualWrite, Shadow, Live, RampDown], facts),
            ];
            [own, c::between(facts)].concat()
        }
        (Section::DualWrite, Direction::Down) => {
            vec![c::standing(&[Off], facts), c::drained(facts)]
        }
        (Section::SwitchReads, Direction::Up) => vec![
            c::not_paused(facts),
            c::standing(&[DualWrite, Shadow, Live, RampDown], facts),
            c::drained(facts),
            c::verified(Side::New, facts),
            c::quarantine_readable(facts),
        ],
        (Section::SwitchReads, Direction::Down) => vec![
            c::standing(&[DualWrite], facts),
            c::drained(facts),
            c::acknowledged(facts),
        ],
        (Section::Release, Direction::Up) => {
            let mut gates = vec![
                c::not_paused(facts),
                if facts.route.has_final_code() {
                    c::standing(&[RampDown], facts)
                } else {
                    c::standing_if_any(&[Off, Complete], facts)
                },
                c::drained(facts),
                c::acknowledged(facts),
            ];
            // No soak stands before it that would outlast them.
            if facts.route == Route::Rename {
                gates.push(c::sleepers_gone(Side::Old, facts, policy));
            }
            gates
        }
        (Section::Release, Direction::Down) => {
            let mut gates = vec![
                c::standing(&[Off, DualWrite, Shadow, Live, RampDown], facts),
                c::drained(facts),
            ];
            // Where nothing fills old, its NOT NULL comes back only if the rows themselves allow it.
            if facts.route == Route::FivePhases {
                gates.push(c::verified(Side::Old, facts));
            }
            gates
        }
        (Section::Drop | Section::Keep | Section::DropKept, _) => {
            contract::of(section, direction, facts, policy)
        }
    };
    if direction == Direction::Up {
        gates.push(c::undo_ended(section, facts));
        // A table that is built anew would lose what an earlier migration still has to drop.
        let between = matches!(section, Section::SwitchReads | Section::Release);
        if between && facts.rebuilds.contains(&section) {
            gates.push(c::contracted_in_turn(facts));
        }
    }
    waive(gates, policy)
}

/// Before anything leads back to old: it has room for all that new holds. `beyond` is what it has none for.
pub fn for_old_again(beyond: &[Beyond], facts: &Facts, name: &str) -> Gate {
    c::room_in_old(beyond, facts, name)
}

/// Before a version's expand.
pub fn for_expand(
    version: &Manifest,
    waiting: &[Waiting<'_>],
    facts: &Facts,
    policy: &Policy,
) -> Vec<Gate> {
    let mut gates = for_section(Section::Expand, Direction::Up, facts, policy);
    gates.push(c::names_free(version, waiting, facts.now));
    gates
}

/// Before a version's expand is undone; `later` are the later versions of which something is in this database, `references`
/// the foreign keys of tables that stay to tables that go.
pub fn for_undo_of_expand(
    version: &Manifest,
    later: &[&Manifest],
    references: &[Reference],
    facts: &Facts,
    policy: &Policy,
) -> Vec<Gate> {
    let mut gates = vec![
        c::nothing_stands_on_it(version, later),
        c::nothing_refers_to_it(references),
    ];
    gates.extend(for_section(Section::Expand, Direction::Down, facts, policy));
    gates
}

/// Before old is dropped, or renamed away: the gates of that section and what `code.toml` says of the checked-in code.
pub fn for_contract(
    section: Section,
    facts: &Facts,
    policy: &Policy,
    code: Option<CodeState>,
) -> Vec<Gate> {
    let mut gates = for_section(section, Direction::Up, facts, policy);
    if facts.route.has_final_code() {
        gates.push(c::final_code(code));
    }
    gates
}

/// Before a backfill begins or goes on. The one that a rollback needs is not held by a pause.
pub fn for_backfill(side: Side, facts: &Facts) -> Vec<Gate> {
    use Stage::{DualWrite, Live, RampDown, Shadow};
    match side {
        // On the way back from `complete` old is stale until it is filled and verified.
        Side::New => vec![
            c::standing(&[DualWrite, Shadow, Live, RampDown], facts),
            c::drained(facts),
            c::not_paused(facts),
            c::verified(Side::Old, facts),
        ],
        // Elsewhere new may be what is stale, or empty, and old the only side that holds a value.
        Side::Old => vec![
            c::standing(&[RampDown], facts),
            c::drained(facts),
            c::reversible(facts),
        ],
    }
}

/// Before a full comparison.
pub fn for_verification(side: Side, facts: &Facts) -> Vec<Gate> {
    use Stage::{DualWrite, Live, RampDown, Shadow};
    let mut gates = vec![
        c::standing(&[DualWrite, Shadow, Live, RampDown], facts),
        c::maintained(side, facts),
        c::drained(facts),
        c::backfilled(side, facts),
    ];
    if side == Side::New {
        gates.push(c::verified(Side::Old, facts));
    }
    gates
}

/// Whether all gates are open.
pub fn all_open(gates: &[Gate]) -> bool {
    gates.iter().all(|gate| gate.open)
}
