//! The two commands that take a side away: the undo of expand and contract. Both ask the gates, put on record that nobody is to
//! start whose code names that side, ask the gates once more, and drop it.

use crate::action::{Action, MOVES, Move};
use crate::operator::move_fence;
use crate::protocol::{Guard, Protocol};
use crate::state::{Control, Drop, Expand, Quarantine, Row, State, Value};

impl Protocol {
    /// Whether such a command is under way: nobody else moves the migration then. A mark that one has left is in nobody's way.
    pub(crate) fn of_what_goes(
        &self,
        control: &Control,
        is_open: impl Fn(usize) -> bool,
        actions: &mut Vec<Action>,
    ) -> bool {
        let is_marked = match (control.expand, control.drop) {
            (Expand::Marked, _) => Some(Move::UndoExpand),
            (_, Drop::Marked) => Some(Move::Contract),
            _ => None,
        };
        if let Some(which) = is_marked {
            actions.push(Action::Withdraw { which });
            let place = MOVES.iter().position(|found| *found == which);
            if !self.has(Guard::SecondLook) || place.is_some_and(is_open) {
                actions.push(Action::Next { which });
            }
        }
        let under_way = match (control.expand, control.drop) {
            (Expand::Asked | Expand::Looked | Expand::Gone, _) => Move::UndoExpand,
            (_, Drop::Asked | Drop::Looked | Drop::Dropped) => Move::Contract,
            _ => return false,
        };
        actions.push(Action::Next { which: under_way });
        true
    }

    pub(crate) fn go_on(&self, state: &mut State, which: Move) {
        if which == Move::Contract {
            contract(state);
        } else {
            self.undo_expand(state);
        }
    }

    fn undo_expand(&self, state: &mut State) {
        state.control.expand = match state.control.expand {
            Expand::Asked if self.has(Guard::RecordBeforeUndo) => Expand::Marked,
            Expand::Marked => Expand::Looked,
            Expand::Asked => {
                drop_new(state);
                Expand::Gone
            }
            Expand::Looked => {
                drop_new(state);
                Expand::Absent
            }
            Expand::Absent | Expand::Done | Expand::Gone => Expand::Absent,
        };
    }

    pub(crate) fn withdraw(state: &mut State, which: Move) {
        if which == Move::Contract {
            state.control.drop = Drop::Not;
        } else {
            state.control.expand = Expand::Done;
        }
    }
}

fn contract(state: &mut State) {
    state.control.drop = match state.control.drop {
        Drop::Not | Drop::Asked => Drop::Marked,
        Drop::Marked => Drop::Looked,
        Drop::Looked => {
            for row in &mut state.rows {
                row.old = Value::Null;
            }
            Drop::Dropped
        }
        Drop::Dropped | Drop::Recorded => {
            move_fence(state);
            Drop::Recorded
        }
    };
}

/// New's column goes, and what the control tables say of it. The fence stays.
fn drop_new(state: &mut State) {
    for row in &mut state.rows {
        *row = Row {
            new: Value::Null,
            quarantine: Quarantine::No,
            filled: [false; 2],
            compared: false,
            looked_at: None,
            ..*row
        };
    }
    state.control = Control::default();
}
