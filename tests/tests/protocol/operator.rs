//! What the operator's commands do, once their gates are open: `hop/write.rs`, `history.rs` and the reviewed SQL in short.

use zdm_runtime::gates::Side;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::{Stage, Writes};

use crate::action::{Action, MOVES, Move};
use crate::gatekeeper::Shut;
use crate::protocol::{Guard, Protocol};
use crate::state::{
    Code, Comparing, Control, Drop, Expand, Ledger, Quarantine, Release, Seen, Since, State,
    Verified, at,
};

impl Protocol {
    /// The moves that are possible and whose gates are open, and what ends them.
    pub(crate) fn of_operator(&self, state: &State, actions: &mut Vec<Action>) {
        let control = &state.control;
        let shut = self.gatekeeper.shut(state);
        let is_open = |place: usize| shut[place] != Shut::MAX && shut[place] & !self.removed == 0;
        if !self.of_what_goes(control, is_open, actions) {
            for (place, which) in MOVES.into_iter().enumerate() {
                if is_open(place) {
                    self.with_open_transactions(which, state, actions);
                }
            }
        }
        if !control.drained && !self.waits(state) {
            actions.push(Action::Drain);
        }
        for row in 0..self.configuration.rows {
            if state.rows[row].quarantine == Quarantine::Waiting {
                actions.push(Action::Waive { row });
            }
        }
    }

    /// A transaction can be told from a statement only if a hop to other writes comes between its snapshot and its end.
    fn with_open_transactions(&self, which: Move, state: &State, actions: &mut Vec<Action>) {
        let writes_change = |to: Stage| to.writes() != state.control.stage.writes();
        if !target(which).is_some_and(writes_change) {
            actions.push(Action::Operate { which, open: 0 });
            return;
        }
        let instances = &state.instances[..self.configuration.instances];
        for open in 0..1_u8 << instances.len() {
            let mut opened = instances.iter().enumerate();
            let can = opened.all(|(place, instance)| {
                let may = instance.seen == Seen::Present && instance.open.is_none();
                may || open >> place & 1 == 0
            });
            if can {
                actions.push(Action::Operate { which, open });
            }
        }
    }

    fn waits(&self, state: &State) -> bool {
        let open = state.instances.iter().any(|found| found.open.is_some());
        open && self.has(Guard::WaitForTransactions)
    }

    pub(crate) fn operate(&self, state: &mut State, which: Move, open: u8) {
        let before = *state;
        match which {
            Move::Hop(to, everyone) | Move::Back(to, everyone) => {
                Self::open_transactions(state, open);
                self.hop(state, to, everyone);
            }
            Move::Expand => expand(state),
            Move::UndoExpand => state.control.expand = Expand::Asked,
            Move::Section(Section::SwitchReads, direction) => {
                state.control.switched = direction == Direction::Up;
            }
            Move::Section(_, direction) => release(&mut state.control, direction),
            Move::Contract => state.control.drop = Drop::Asked,
            Move::Fill(side) => state.control.ledger[at(side)] = Ledger::Open,
            Move::Compare(side) => self.compare_from_now(state, side),
        }
        state.turned_away |= self.turns_away(&before, state);
    }

    fn open_transactions(state: &mut State, open: u8) {
        let before = state.control.stage;
        for (place, instance) in state.instances.iter_mut().enumerate() {
            if open >> place & 1 == 1 {
                instance.open = Some(writes(instance.code, before));
            }
        }
    }

    fn hop(&self, state: &mut State, to: Stage, everyone: bool) {
        let from = state.control.stage;
        move_fence(state);
        let control = &mut state.control;
        control.stage = to;
        control.everyone = everyone;
        control.drained = false;
        if control.drop == Drop::Marked {
            control.drop = Drop::Not;
        }
        self.leave_to_itself(control, Side::New, to == Stage::Off);
        self.leave_to_itself(control, Side::Old, to == Stage::Complete);
        self.reset(state, from, to);
    }

    /// `write::stage`: since when a side is maintained. What was compared before counts no more once it is not.
    fn leave_to_itself(&self, control: &mut Control, side: Side, alone: bool) {
        let since = &mut control.since[at(side)];
        if !alone {
            if *since == Since::Not {
                *since = Since::Later;
            }
            return;
        }
        *since = Since::Not;
        if !self.has(Guard::Maintained) {
            return;
        }
        let verified = &mut control.verified[at(side)];
        if *verified == Verified::Passed {
            *verified = Verified::Outdated;
        }
        if let Some(comparing) = &mut control.comparing
            && comparing.side == side
        {
            comparing.counts = false;
        }
    }

    /// `write::reset`. Nobody reports mismatches here: they are a net below all this.
    fn reset(&self, state: &mut State, from: Stage, to: Stage) {
        if to == Stage::Off {
            if self.has(Guard::ResetOfBackfill) {
                close(state, Side::New);
                close(state, Side::Old);
            }
            for row in &mut state.rows {
                row.quarantine = Quarantine::No;
            }
            if self.has(Guard::Overtaken) {
                stop_comparing(state);
            }
        } else if from == Stage::Complete && self.has(Guard::ResetOfReverse) {
            close(state, Side::Old);
        }
    }

    fn compare_from_now(&self, state: &mut State, side: Side) {
        let control = &mut state.control;
        control.comparing = Some(Comparing {
            side,
            counts: control.since[at(side)] != Since::Not,
            differs: false,
        });
        if side == Side::New {
            self.release_what_converts(state);
        }
    }

    /// A living instance that was served before finds no stage for its code now.
    fn turns_away(&self, before: &State, after: &State) -> bool {
        let mut instances = before.instances.iter();
        instances.any(|instance| {
            let ready = instance.living && instance.seen != Seen::Nothing;
            ready && self.serves(before, instance.code) && !self.serves(after, instance.code)
        })
    }
}

/// Which sides code writes at a stage.
pub(crate) const fn writes(code: Code, stage: Stage) -> Writes {
    match code {
        Code::Down | Code::Old => Writes::Old,
        Code::Transition => stage.writes(),
        Code::Final => Writes::New,
    }
}

fn target(which: Move) -> Option<Stage> {
    match which {
        Move::Hop(to, _) | Move::Back(to, _) => Some(to),
        _ => None,
    }
}

/// `history::expanded`
fn expand(state: &mut State) {
    state.control = Control {
        expand: Expand::Done,
        since: [Since::Not, Since::Always],
        ..Control::default()
    };
}

fn release(control: &mut Control, direction: Direction) {
    use Release::{HalfUndone, InForce, Overrun, Released};
    control.release = match (control.release, direction) {
        (InForce | Released, Direction::Up) => Released,
        (HalfUndone | Overrun, Direction::Up) => Overrun,
        (Released | Overrun, Direction::Down) => HalfUndone,
        (InForce | HalfUndone, Direction::Down) => InForce,
    };
}

/// What everybody has cached is of an earlier epoch now.
pub(crate) fn move_fence(state: &mut State) {
    let from = state.control.stage;
    for instance in &mut state.instances {
        if instance.seen == Seen::Present {
            instance.seen = Seen::Past(from);
        }
    }
}

/// The chunks of a backfill go.
pub(crate) fn close(state: &mut State, side: Side) {
    state.control.ledger[at(side)] = Ledger::NotBegun;
    for row in &mut state.rows {
        row.filled[at(side)] = false;
        row.looked_at = None;
    }
}

pub(crate) fn stop_comparing(state: &mut State) {
    state.control.comparing = None;
    for row in &mut state.rows {
        row.compared = false;
    }
}
