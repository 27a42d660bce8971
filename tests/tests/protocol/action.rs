//! Everything that can happen next.

use zdm_runtime::Stage;
use zdm_runtime::gates::Side;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use crate::state::Code;

/// A command of the operator, for which gates are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Expand,
    UndoExpand,
    Section(Section, Direction),
    Contract,
    /// Forward; at `live` for everybody or for some.
    Hop(Stage, bool),
    Back(Stage, bool),
    Fill(Side),
    Compare(Side),
}

/// All of them. A gate is asked whether or not a person would try the move.
pub(crate) const MOVES: [Move; 25] = [
    Move::Expand,
    Move::UndoExpand,
    Move::Section(Section::SwitchReads, Direction::Up),
    Move::Section(Section::SwitchReads, Direction::Down),
    Move::Section(Section::Release, Direction::Up),
    Move::Section(Section::Release, Direction::Down),
    Move::Contract,
    Move::Hop(Stage::Off, false),
    Move::Hop(Stage::DualWrite, false),
    Move::Hop(Stage::Shadow, false),
    Move::Hop(Stage::Live, false),
    Move::Hop(Stage::Live, true),
    Move::Hop(Stage::RampDown, false),
    Move::Hop(Stage::Complete, false),
    Move::Back(Stage::Off, false),
    Move::Back(Stage::DualWrite, false),
    Move::Back(Stage::Shadow, false),
    Move::Back(Stage::Live, false),
    Move::Back(Stage::Live, true),
    Move::Back(Stage::RampDown, false),
    Move::Back(Stage::Complete, false),
    Move::Fill(Side::New),
    Move::Fill(Side::Old),
    Move::Compare(Side::New),
    Move::Compare(Side::Old),
];

/// What a write makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Whole,
    /// A value that `up` cannot convert.
    Hard,
    /// The first of two statements, and nothing after it.
    Half,
}

/// One step. Instances and rows are named by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A move whose gates are open. Of a hop: which instances (bits) have a transaction open across it.
    Operate { which: Move, open: u8 },
    /// The wait for transactions from before the last hop ends.
    Drain,
    /// A backfill is at a row.
    Fill { side: Side, row: usize },
    /// A backfill that locks nothing reads a row that it is going to write.
    Look { side: Side, row: usize },
    /// A comparison is at a row.
    Compare { row: usize },
    /// The comparison goes on record.
    End,
    /// The next step of a command that takes a side away.
    Next { which: Move },
    /// Such a command has found a gate shut at its second look, or somebody has thought better of it.
    Withdraw { which: Move },
    /// Somebody decides to do without a value in quarantine.
    Waive { row: usize },
    /// Another process takes the place of one; it registers, and knows nothing yet.
    Start { instance: usize, code: Code },
    /// A sign of life: the lease is prolonged, the flags are loaded.
    Beat { instance: usize },
    /// A statement's epoch is not the present one, so the flags are loaded.
    Miss { instance: usize },
    /// The lease ends without a sign of life; the process goes on.
    Sleep { instance: usize },
    /// The process does not come back, for longer than the policy waits for it.
    Gone { instance: usize },
    /// A statement, committed.
    Write {
        instance: usize,
        row: usize,
        written: Written,
    },
    /// The same in a transaction whose snapshot is from before the last hop.
    Commit {
        instance: usize,
        row: usize,
        written: Written,
    },
    /// Such a transaction ends without a write.
    Abort { instance: usize },
}
