//! The operator's moves, each with the runtime's own gates. What a gate says of some facts is asked once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use zdm_runtime::facts::Facts;
use zdm_runtime::gates::{self, Gate, Policy};
use zdm_runtime::manifest::{FORMAT, Manifest, Route};
use zdm_runtime::phase::Section;
use zdm_runtime::{CodeState, Stage};

use crate::action::{MOVES, Move};
use crate::facts;
use crate::mix::Mixed;
use crate::possible::is_asked;
use crate::protocol::Configuration;
use crate::state::{Seen, State};

/// The gates that are shut, as bits in the order of their names.
pub(crate) type Shut = u64;
/// Of all moves, in their order; all bits where one would do nothing.
pub(crate) type Answers = [Shut; MOVES.len()];

/// Remembers what the gates have answered.
#[derive(Debug)]
pub(crate) struct Gatekeeper {
    configuration: Configuration,
    /// Of every gate that is asked before any move at any stage.
    names: Vec<&'static str>,
    answers: RwLock<HashMap<u128, Answers, Mixed>>,
}

impl Gatekeeper {
    pub(crate) fn of(configuration: Configuration) -> Self {
        let mut names = BTreeSet::new();
        for stage in Stage::ALL {
            let mut state = State::default();
            state.control.stage = stage;
            for which in MOVES {
                let gates = asked(which, &state, &configuration);
                names.extend(gates.iter().map(|gate| gate.name));
            }
        }
        Self {
            configuration,
            names: names.into_iter().collect(),
            answers: RwLock::default(),
        }
    }

    pub(crate) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The gates that are shut, by move: the runtime's own answers, asked for once for the same facts.
    pub(crate) fn shut(&self, state: &State) -> Answers {
        let key = key(state);
        let known = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(shut) = known.get(&key) {
            return *shut;
        }
        drop(known);
        let shut = MOVES.map(|which| self.before(which, state));
        let mut known = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, shut);
        shut
    }

    fn before(&self, which: Move, state: &State) -> Shut {
        if !is_asked(which, state, &self.configuration) {
            return Shut::MAX;
        }
        let gates = asked(which, state, &self.configuration);
        let shut = gates.iter().filter(|gate| !gate.open);
        let shut = shut.fold(0, |bits, gate| bits | self.bits(&[gate.name]));
        assert_eq!(shut == 0, gates::all_open(&gates), "{gates:?}");
        shut
    }

    /// The bits of some gates.
    pub(crate) fn bits(&self, gates: &[&str]) -> Shut {
        gates.iter().fold(0, |bits, gate| {
            let place = self.names.iter().position(|name| name == gate);
            bits | 1 << place.unwrap_or_else(|| panic!("no gate is called {gate}"))
        })
    }
}

/// The gates before a move.
fn asked(which: Move, state: &State, configuration: &Configuration) -> Vec<Gate> {
    let facts: Facts = facts::of(state, configuration);
    let from = state.control.stage;
    match which {
        Move::Expand => gates::for_expand(&manifest(), &[], &facts, &policy()),
        Move::UndoExpand => gates::for_undo_of_expand(&manifest(), &[], &[], &facts, &policy()),
        Move::Section(section, direction) => {
            gates::for_section(section, direction, &facts, &policy())
        }
        Move::Contract => {
            gates::for_contract(Section::Drop, &facts, &policy(), Some(CodeState::Final))
        }
        Move::Hop(to, _) => gates::for_hop(from, to, &facts, &policy()),
        Move::Back(to, _) => gates::for_back(from, to, &facts),
        Move::Fill(side) => gates::for_backfill(side, &facts),
        Move::Compare(side) => gates::for_verification(side, &facts),
    }
}

/// Nothing that only time or a person opens; an instance that went silent is waited for until it is gone.
fn policy() -> Policy {
    Policy {
        soak: Duration::ZERO,
        dwell: Duration::ZERO,
        verify_again: false,
        backup: false,
        approvals: 0,
        actor: String::new(),
        sleepers: Duration::from_mins(10),
        instances: 0,
        waivers: Vec::new(),
    }
}

/// The facts in one number: the control tables, who is registered, how much is in quarantine.
fn key(state: &State) -> u128 {
    let mut bits = u128::from(state.control.packed());
    for instance in &state.instances {
        let living = u128::from(instance.living);
        let behind = u128::from(instance.seen != Seen::Present);
        bits = bits << 4 | (instance.code as u128) << 2 | living << 1 | behind;
    }
    for row in &state.rows {
        bits = bits << 2 | row.quarantine as u128;
    }
    bits
}

/// Two adjacent rows of the history are enough: no other version, nothing of anybody else's.
fn manifest() -> Manifest {
    Manifest {
        format: FORMAT,
        id: "0123456789ab".to_owned(),
        version: 2,
        name: "model".to_owned(),
        parent: None,
        after: Vec::new(),
        needed_by: Vec::new(),
        for_good: Vec::new(),
        dialect: "postgres".to_owned(),
        route: Route::FivePhases,
        reversible: true,
        tables: vec!["rows".to_owned()],
        reasons: Vec::new(),
        changes: Vec::new(),
        transitions: String::new(),
        steps: Vec::new(),
        backfills: Vec::new(),
        pairs: Vec::new(),
        creates: BTreeMap::new(),
        drops: BTreeMap::new(),
        retyped: BTreeMap::new(),
        described: BTreeMap::new(),
        merged: Vec::new(),
        moved: Vec::new(),
        renames: BTreeMap::new(),
        renamed_keys: BTreeMap::new(),
        exchanged_keys: BTreeMap::new(),
        refers: BTreeMap::new(),
        refers_to: BTreeMap::new(),
        unkeyed: BTreeMap::new(),
        acts: BTreeMap::new(),
        nets: BTreeMap::new(),
        keep: None,
        no_keep: false,
        exchanges: Vec::new(),
        enums: Vec::new(),
        files: BTreeMap::new(),
    }
}
