//! Backfill and verification, row by row: each step is one statement, and anything may happen between two of them.

use zdm_runtime::Stage;
use zdm_runtime::gates::Side;

use crate::action::Action;
use crate::operator::{close, stop_comparing};
use crate::protocol::{Guard, Protocol};
use crate::state::{Comparing, Expand, Ledger, Quarantine, Row, State, Value, Verified, at};

impl Protocol {
    /// Whoever works on a chunk goes on with it, whatever the stage is by now: it may have slept.
    pub(crate) fn of_work(&self, state: &State, actions: &mut Vec<Action>) {
        if state.control.expand == Expand::Absent {
            return;
        }
        for side in [Side::New, Side::Old] {
            if state.control.ledger[at(side)] == Ledger::Open && has_both_sides(state) {
                self.of_backfill(state, side, actions);
            }
        }
        let Some(_) = state.control.comparing else {
            return;
        };
        let rows = &state.rows[..self.configuration.rows];
        for (row, found) in rows.iter().enumerate() {
            if !found.compared && has_both_sides(state) {
                actions.push(Action::Compare { row });
            }
        }
        if rows.iter().all(|row| row.compared) {
            actions.push(Action::End);
        }
    }

    fn of_backfill(&self, state: &State, side: Side, actions: &mut Vec<Action>) {
        for (row, found) in state.rows[..self.configuration.rows].iter().enumerate() {
            if found.filled[at(side)] {
                continue;
            }
            let looks_first = !self.has(Guard::LockedRow) && found.looked_at.is_none();
            if looks_first && !self.consistent(found) {
                actions.push(Action::Look { side, row });
            } else {
                actions.push(Action::Fill { side, row });
            }
        }
    }

    /// The one relation that dual write, backfill and verification share.
    pub(crate) fn consistent(&self, row: &Row) -> bool {
        if !row.there {
            return true;
        }
        match (row.old, row.new) {
            (_, Value::Null) if self.configuration.new_required => false,
            (_, new) if row.hard => new == Value::Null,
            (old, new) => old == new,
        }
    }

    pub(crate) fn fill(&self, state: &mut State, side: Side, row: usize) {
        let found = &mut state.rows[row];
        let is_stale = match side {
            Side::New if !self.has(Guard::Consistent) => found.new == Value::Null,
            Side::Old if !self.has(Guard::Consistent) => found.old == Value::Null,
            _ => !self.consistent(found),
        };
        let looked_at = found.looked_at.take();
        if found.there && (is_stale || looked_at.is_some()) {
            match side {
                Side::New if found.hard => found.new = Value::Null,
                Side::New => found.new = looked_at.unwrap_or(found.old),
                Side::Old => found.old = looked_at.unwrap_or(found.new),
            }
        }
        let waits = found.there && side == Side::New && found.hard && found.new == Value::Null;
        if waits && found.quarantine == Quarantine::No {
            found.quarantine = Quarantine::Waiting;
        }
        found.filled[at(side)] = true;
        let rows = &state.rows[..self.configuration.rows];
        if rows.iter().all(|row| row.filled[at(side)]) {
            close(state, side);
            state.control.ledger[at(side)] = Ledger::Done;
        }
    }

    /// `quarantine::release`, before new is compared.
    pub(crate) fn release_what_converts(&self, state: &mut State) {
        for row in &mut state.rows {
            if !row.converts_again() {
                continue;
            }
            if !self.consistent(row) {
                row.new = row.old;
            }
            row.quarantine = Quarantine::No;
        }
    }

    pub(crate) fn look(state: &mut State, side: Side, row: usize) {
        let found = &mut state.rows[row];
        found.looked_at = Some(match side {
            Side::New => found.old,
            Side::Old => found.new,
        });
    }

    pub(crate) fn compare(&self, state: &mut State, row: usize) {
        let found = &mut state.rows[row];
        found.compared = true;
        let differs = found.quarantine == Quarantine::No && !self.consistent(found);
        if let Some(comparing) = &mut state.control.comparing {
            comparing.differs |= differs;
        }
    }

    /// `verification::finish`
    pub(crate) fn end(&self, state: &mut State) {
        let Some(Comparing {
            side,
            counts,
            differs,
        }) = state.control.comparing
        else {
            return;
        };
        let counts = counts || !self.has(Guard::EpochOfBeginning);
        state.control.verified[at(side)] = match (differs, counts) {
            (true, _) => Verified::Failed,
            (false, true) => Verified::Passed,
            (false, false) => Verified::Outdated,
        };
        if differs && (side == Side::Old || state.control.stage == Stage::DualWrite) {
            close(state, side);
        }
        stop_comparing(state);
    }
}

fn has_both_sides(state: &State) -> bool {
    state.new_is_there() && state.old_is_there()
}
