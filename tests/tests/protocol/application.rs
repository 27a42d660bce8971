//! What the application's instances do: rolling deploys forward and back, cached flags, statements and transactions.

use zdm_runtime::{Stage, Writes};

use crate::action::{Action, Written};
use crate::operator::writes;
use crate::protocol::{Guard, Protocol};
use crate::state::{Code, Drop, Expand, Instance, Row, Seen, State, Value};

impl Protocol {
    pub(crate) fn of_application(&self, state: &State, actions: &mut Vec<Action>) {
        for instance in 0..self.configuration.instances {
            let found = state.instances[instance];
            self.of_process(found, instance, actions);
            if found.open.is_some() {
                actions.push(Action::Abort { instance });
            }
            for row in 0..self.configuration.rows {
                self.of_row(state, found, instance, row, actions);
            }
        }
    }

    fn of_process(&self, found: Instance, instance: usize, actions: &mut Vec<Action>) {
        // A process is stopped when its last statement is done; one that sleeps is waited for.
        let stands_still = !found.code.runs() || found.living && found.open.is_none();
        if self.configuration.deploys && stands_still {
            for code in Code::ALL {
                if code != found.code {
                    actions.push(Action::Start { instance, code });
                }
            }
        }
        if !found.code.runs() {
            return;
        }
        if !found.living || found.seen != Seen::Present {
            actions.push(Action::Beat { instance });
        }
        if !found.living && matches!(found.seen, Seen::Past(_)) {
            actions.push(Action::Miss { instance });
        }
        if self.configuration.sleepers && found.living && found.seen != Seen::Nothing {
            actions.push(Action::Sleep { instance });
        }
        if !found.living {
            actions.push(Action::Gone { instance });
        }
    }

    fn of_row(
        &self,
        state: &State,
        found: Instance,
        instance: usize,
        row: usize,
        actions: &mut Vec<Action>,
    ) {
        for written in [Written::Whole, Written::Hard, Written::Half] {
            let is_possible = |writes| match written {
                Written::Whole => true,
                Written::Hard => self.configuration.hard && writes == Writes::Old,
                Written::Half => !self.has(Guard::OneStatement) && writes == Writes::Both,
            };
            if self.writes_now(state, found).is_some_and(is_possible) {
                actions.push(Action::Write {
                    instance,
                    row,
                    written,
                });
            }
            if found.open.is_some_and(is_possible) {
                actions.push(Action::Commit {
                    instance,
                    row,
                    written,
                });
            }
        }
    }

    /// The sides that a statement of this instance writes now; none where the fence keeps it from writing.
    pub(crate) fn writes_now(&self, state: &State, found: Instance) -> Option<Writes> {
        match found.seen {
            Seen::Nothing => None,
            Seen::Present => Some(writes(found.code, state.control.stage)),
            Seen::Past(_) if self.has(Guard::FenceOfWrites) => None,
            Seen::Past(seen) => Some(writes(found.code, seen)),
        }
    }

    /// `table_state::judge`
    pub(crate) fn serves(&self, state: &State, code: Code) -> bool {
        let control = &state.control;
        let off = control.stage == Stage::Off;
        let on_record = match control.expand {
            Expand::Absent => false,
            Expand::Marked | Expand::Looked => !self.has(Guard::NotExpanded),
            Expand::Done | Expand::Asked | Expand::Gone => true,
        };
        match code {
            Code::Down => false,
            Code::Old => off || !self.has(Guard::CodeTooOld),
            Code::Transition => {
                let over = match control.drop {
                    Drop::Not | Drop::Asked => false,
                    Drop::Marked | Drop::Looked | Drop::Dropped => self.has(Guard::MarkBeforeDrop),
                    Drop::Recorded => self.has(Guard::Contracted),
                };
                on_record && !over
            }
            Code::Final => {
                let early = control.stage != Stage::Complete && self.has(Guard::CodeTooNew);
                on_record && !early
            }
        }
    }

    pub(crate) fn start(state: &mut State, instance: usize, code: Code) {
        state.instances[instance] = Instance {
            code,
            living: true,
            ..Instance::default()
        };
    }

    pub(crate) fn gone(state: &mut State, instance: usize) {
        state.instances[instance] = Instance::default();
    }

    pub(crate) fn beat(&self, state: &mut State, instance: usize) {
        self.load(state, instance);
        state.instances[instance].living = true;
    }

    /// Flags of another epoch are loaded, and what the code cannot serve is refused from then on.
    pub(crate) fn load(&self, state: &mut State, instance: usize) {
        let found = state.instances[instance];
        if found.seen != Seen::Present {
            state.instances[instance].seen = if self.serves(state, found.code) {
                Seen::Present
            } else {
                Seen::Nothing
            };
        }
    }

    pub(crate) fn write(&self, state: &mut State, instance: usize, row: usize, written: Written) {
        let found = state.instances[instance];
        if let Some(writes) = self.writes_now(state, found) {
            put(state, row, writes, written);
        }
    }

    pub(crate) fn commit(state: &mut State, instance: usize, row: usize, written: Written) {
        if let Some(writes) = state.instances[instance].open.take() {
            put(state, row, writes, written);
        }
    }

    /// What the flags of a past epoch would do matters only where nothing keeps them from it.
    pub(crate) fn forget_the_past(&self, state: &mut State) {
        if self.has(Guard::FenceOfWrites) && self.has(Guard::FenceOfReads) {
            for instance in &mut state.instances {
                if matches!(instance.seen, Seen::Past(_)) {
                    instance.seen = Seen::Past(Stage::Off);
                }
            }
        }
    }
}

/// A new version of the row: the sides that are written hold it, the others hold an earlier one or none.
fn put(state: &mut State, row: usize, writes: Writes, written: Written) {
    let (has_old, has_new) = (state.old_is_there(), state.new_is_there());
    let row = &mut state.rows[row];
    let left = |value: Value| match value {
        Value::Null => Value::Null,
        Value::Stale | Value::Fresh => Value::Stale,
    };
    let to_old = has_old && writes != Writes::New;
    let to_new = has_new && writes != Writes::Old && written != Written::Half;
    *row = Row {
        there: true,
        old: if to_old { Value::Fresh } else { left(row.old) },
        new: if to_new { Value::Fresh } else { left(row.new) },
        hard: written == Written::Hard,
        looked_at: row.looked_at.map(left),
        ..*row
    };
}
