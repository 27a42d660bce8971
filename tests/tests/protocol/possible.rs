//! Which commands would do anything at all; of those that would, their gates decide.

use zdm_runtime::Stage;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use crate::action::Move;
use crate::protocol::Configuration;
use crate::state::{Control, Drop, Expand, Ledger, Release, State, Verified, at};

/// Whether the gates of a move are asked: the command would do something, or goes on with what it has begun.
pub(crate) fn is_asked(which: Move, state: &State, configuration: &Configuration) -> bool {
    let control = &state.control;
    match which {
        Move::UndoExpand if control.expand == Expand::Marked => true,
        Move::Contract if control.drop == Drop::Marked => true,
        _ => changes_something(which, control, configuration),
    }
}

fn changes_something(which: Move, control: &Control, configuration: &Configuration) -> bool {
    if control.expand == Expand::Absent {
        return which == Move::Expand;
    }
    match which {
        Move::Expand => false,
        Move::UndoExpand => control.expand == Expand::Done,
        Move::Section(Section::SwitchReads, direction) => {
            control.switched == (direction == Direction::Down)
        }
        Move::Section(_, Direction::Up) => {
            matches!(control.release, Release::InForce | Release::HalfUndone)
        }
        Move::Section(_, Direction::Down) => control.release != Release::InForce,
        Move::Contract => control.drop == Drop::Not,
        Move::Hop(to, everyone) | Move::Back(to, everyone) => {
            let share = to == Stage::Live && everyone != control.everyone;
            to != control.stage || share
        }
        Move::Fill(side) => control.ledger[at(side)] == Ledger::NotBegun,
        // Where new may be in quarantine, a comparison that counts already lets out what has become right.
        Move::Compare(side) => {
            let counts = control.verified[at(side)] == Verified::Passed;
            let again = configuration.repeats || configuration.hard;
            control.comparing.is_none() && (!counts || again)
        }
    }
}
