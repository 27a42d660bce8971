//! What has to hold in every state. Reads and single statements change nothing that the model looks at, so that what they would
//! meet is asked of the state itself.

use stateright::Property;
use zdm_runtime::{Stage, Writes};

use crate::protocol::{Guard, Protocol};
use crate::state::{Code, Drop, Instance, Quarantine, Release, Row, Seen, State, Value};

pub(crate) const FRESH: &str = "a read returns the last committed write";
pub(crate) const ACCEPTED: &str = "no write is refused by a NOT NULL";
pub(crate) const NAMED: &str = "nothing names a column that is gone";
pub(crate) const KEPT: &str = "the last committed write is kept";
pub(crate) const SERVED: &str = "no move turns an instance away that serves";

/// That the search is worth something: it comes to the end.
pub(crate) const CONTRACTED: &str = "contract is reached";

pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(FRESH, is_fresh),
        Property::always(ACCEPTED, is_accepted),
        Property::always(NAMED, names_what_is_there),
        Property::always(KEPT, is_kept),
        Property::always(SERVED, |_, state: &State| !state.turned_away),
        Property::sometimes(CONTRACTED, |_, state: &State| {
            state.control.drop == Drop::Recorded
        }),
    ]
}

/// Every row is fresh on the side, or the sides, that somebody may read it from.
fn is_fresh(protocol: &Protocol, state: &State) -> bool {
    for instance in &state.instances {
        let read_at = match instance.seen {
            Seen::Present => state.control.stage,
            Seen::Past(seen) if !protocol.has(Guard::FenceOfReads) => seen,
            Seen::Nothing | Seen::Past(_) => continue,
        };
        let (old, new) = reads(instance.code, read_at, state.control.everyone);
        for row in state.rows.iter().filter(|row| row.there) {
            let waits = row.hard && row.quarantine != Quarantine::No;
            let empty = waits && !protocol.configuration.new_required;
            let new_holds = row.new == Value::Fresh || empty && row.new == Value::Null;
            if old && row.old != Value::Fresh || new && !new_holds {
                return false;
            }
        }
    }
    true
}

/// Which sides code reads at a stage: at `live` each instance may read any row from either, so that it does not matter whether readers are
/// shared out by key or by instance.
fn reads(code: Code, stage: Stage, everyone: bool) -> (bool, bool) {
    match code {
        Code::Down => (false, false),
        Code::Old => (true, false),
        Code::Final => (false, true),
        Code::Transition => match stage {
            Stage::Off | Stage::DualWrite | Stage::Shadow => (true, false),
            Stage::Live => (!everyone, true),
            Stage::RampDown | Stage::Complete => (false, true),
        },
    }
}

/// An insert that leaves a side out, and an update of any other column of a row, which is checked as a whole.
fn is_accepted(protocol: &Protocol, state: &State) -> bool {
    let control = &state.control;
    let in_force = !matches!(control.release, Release::Released);
    let old = protocol.configuration.old_required && in_force && state.old_is_there();
    let new = protocol.configuration.new_required && control.switched && state.new_is_there();
    let refused =
        |row: &Row| row.there && (old && row.old == Value::Null || new && row.new == Value::Null);
    let mut instances = state.instances.into_iter();
    instances.all(|instance| {
        let sides = [protocol.writes_now(state, instance), instance.open];
        sides.into_iter().flatten().all(|writes| {
            let inserts = !(old && writes == Writes::New || new && writes == Writes::Old);
            inserts && !state.rows.iter().any(refused)
        })
    })
}

/// By every statement that an instance may still send: one whose flags are of the past, or that sleeps, sends it all the same.
fn names_what_is_there(_: &Protocol, state: &State) -> bool {
    let sends = |instance: &&Instance| instance.seen != Seen::Nothing || instance.open.is_some();
    let mut instances = state.instances.iter().filter(sends);
    instances.all(|instance| {
        let (old, new) = match instance.code {
            Code::Down => (false, false),
            Code::Old => (true, false),
            Code::Transition => (true, true),
            Code::Final => (false, true),
        };
        (!old || state.old_is_there()) && (!new || state.new_is_there())
    })
}

/// On a side that is there; what is in quarantine is nowhere else than on old, unless somebody has decided to do without.
fn is_kept(_: &Protocol, state: &State) -> bool {
    let mut rows = state.rows.iter().filter(|row| row.there);
    rows.all(|row| {
        let waived = row.hard && row.quarantine == Quarantine::Waived;
        row.old == Value::Fresh || row.new == Value::Fresh || waived
    })
}
