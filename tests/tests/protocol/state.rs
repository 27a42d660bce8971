//! What the model's world holds: rows, instances, and the control tables as far as the gates can tell them apart.
//!
//! Must not know: what may happen next.

use std::hash::{Hash, Hasher};

use zdm_runtime::gates::Side;
use zdm_runtime::{CodeState, Stage, Writes};

pub(crate) const MOST_ROWS: usize = 2;
pub(crate) const MOST_INSTANCES: usize = 3;

/// One side of a row, held against the last committed write of that row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Value {
    #[default]
    Null,
    Stale,
    Fresh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Quarantine {
    #[default]
    No,
    Waiting,
    Waived,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Row {
    pub(crate) there: bool,
    pub(crate) old: Value,
    pub(crate) new: Value,
    /// Its last value was written by code from before, and `up` makes nothing of it.
    pub(crate) hard: bool,
    pub(crate) quarantine: Quarantine,
    /// The cursor of a backfill in progress is past it; by the side that is filled.
    pub(crate) filled: [bool; 2],
    /// The comparison in progress is past it.
    pub(crate) compared: bool,
    /// What a backfill has read of it that locks nothing ([`Guard::LockedRow`](crate::protocol::Guard) removed).
    pub(crate) looked_at: Option<Value>,
}

/// What an instance runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Code {
    /// There is no process.
    #[default]
    Down,
    /// From before the migration: names old alone.
    Old,
    /// Names both.
    Transition,
    /// Names new alone.
    Final,
}

impl Code {
    pub(crate) const ALL: [Self; 3] = [Self::Old, Self::Transition, Self::Final];

    pub(crate) fn runs(self) -> bool {
        self != Self::Down
    }

    /// As it registers.
    pub(crate) const fn state(self) -> Option<CodeState> {
        match self {
            Self::Down | Self::Old => None,
            Self::Transition => Some(CodeState::Transition),
            Self::Final => Some(CodeState::Final),
        }
    }
}

/// The flags that an instance has cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Seen {
    /// None: it is not ready, and no request reaches it.
    #[default]
    Nothing,
    /// Those of the present epoch.
    Present,
    /// Those of an earlier epoch, with the stage of that time.
    Past(Stage),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Instance {
    pub(crate) code: Code,
    /// Its lease has not ended. One that sleeps beyond it may wake at any time and go on where it was.
    pub(crate) living: bool,
    pub(crate) seen: Seen,
    /// A transaction that took its snapshot before the last hop, and what it writes by it.
    pub(crate) open: Option<Writes>,
}

/// New, and the command that takes it back: it asks the gates, marks, asks them again, and drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Expand {
    #[default]
    Absent,
    Done,
    /// The gates were open.
    Asked,
    /// Off the record: code that names new does not start any more.
    Marked,
    /// The gates were open once more.
    Looked,
    /// Taken back, and still on record ([`Guard::RecordBeforeUndo`](crate::protocol::Guard) removed).
    Gone,
}

/// Since when a side has been maintained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Since {
    #[default]
    Not,
    Always,
    Later,
}

/// The chunks of a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ledger {
    #[default]
    NotBegun,
    Open,
    Done,
}

/// The last comparison on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Verified {
    #[default]
    Never,
    Failed,
    Passed,
    /// Passed, before the side was last left to itself.
    Outdated,
}

/// A comparison in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comparing {
    pub(crate) side: Side,
    /// The side has been maintained since it began.
    pub(crate) counts: bool,
    pub(crate) differs: bool,
}

/// What lets writes leave old: its NOT NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Release {
    #[default]
    InForce,
    Released,
    /// Its undo has begun: refused for new rows, and not on record as undone.
    HalfUndone,
    /// Gone forward over a half undo: on record as released, and refused for new rows.
    Overrun,
}

/// Old, and the command that drops it, which goes about it in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Drop {
    #[default]
    Not,
    Asked,
    /// Code that names old does not start any more.
    Marked,
    Looked,
    /// Old is gone, and that is not on record yet.
    Dropped,
    Recorded,
}

/// The migration's rows in the control tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) expand: Expand,
    /// Means nothing where expand is absent.
    pub(crate) stage: Stage,
    /// At `live`: everybody reads new.
    pub(crate) everyone: bool,
    pub(crate) drained: bool,
    /// By side.
    pub(crate) since: [Since; 2],
    pub(crate) ledger: [Ledger; 2],
    pub(crate) verified: [Verified; 2],
    pub(crate) comparing: Option<Comparing>,
    /// What constrains new is in force.
    pub(crate) switched: bool,
    pub(crate) release: Release,
    pub(crate) drop: Drop,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            expand: Expand::Absent,
            stage: Stage::Off,
            everyone: false,
            drained: true,
            since: [Since::Not; 2],
            ledger: [Ledger::NotBegun; 2],
            verified: [Verified::Never; 2],
            comparing: None,
            switched: false,
            release: Release::InForce,
            drop: Drop::Not,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub(crate) control: Control,
    pub(crate) rows: [Row; MOST_ROWS],
    pub(crate) instances: [Instance; MOST_INSTANCES],
    /// A move of the operator has left a living instance without a stage that its code can serve.
    pub(crate) turned_away: bool,
}

/// The place of a side in the arrays.
pub(crate) const fn at(side: Side) -> usize {
    side as usize
}

impl State {
    pub(crate) fn new_is_there(&self) -> bool {
        !matches!(self.control.expand, Expand::Absent | Expand::Gone)
    }

    pub(crate) fn old_is_there(&self) -> bool {
        !matches!(self.control.drop, Drop::Dropped | Drop::Recorded)
    }

    /// Rows have no order of their own, nor have instances: of all states that differ in it alone, one stands for all.
    pub(crate) fn in_order(mut self, rows: usize, instances: usize) -> Self {
        self.rows[..rows].sort_unstable_by_key(Row::packed);
        self.instances[..instances].sort_unstable_by_key(|instance| instance.packed());
        self
    }

    /// All of it in one number, so that comparing and hashing are cheap in a debug build.
    pub(crate) fn packed(&self) -> u128 {
        let mut bits = u128::from(self.control.packed());
        for row in &self.rows {
            bits = bits << 13 | u128::from(row.packed());
        }
        for instance in &self.instances {
            bits = bits << 8 | u128::from(instance.packed());
        }
        bits << 1 | u128::from(self.turned_away)
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u128(self.packed());
    }
}

impl Row {
    /// It is in quarantine, and a later write has made it right.
    pub(crate) fn converts_again(&self) -> bool {
        self.quarantine != Quarantine::No && !self.hard
    }

    fn packed(&self) -> u16 {
        let mut bits = u16::from(self.there);
        bits = bits << 2 | self.old as u16;
        bits = bits << 2 | self.new as u16;
        bits = bits << 1 | u16::from(self.hard);
        bits = bits << 2 | self.quarantine as u16;
        bits = bits << 1 | u16::from(self.filled[0]);
        bits = bits << 1 | u16::from(self.filled[1]);
        bits = bits << 1 | u16::from(self.compared);
        bits << 2 | self.looked_at.map_or(0, |value| 1 + value as u16)
    }
}

impl Instance {
    fn packed(self) -> u8 {
        let seen = match self.seen {
            Seen::Nothing => 0,
            Seen::Present => 1,
            Seen::Past(stage) => 2 + stage as u8,
        };
        let open = self.open.map_or(0, |writes| 1 + writes as u8);
        (self.code as u8) << 6 | u8::from(self.living) << 5 | seen << 2 | open
    }
}

impl Control {
    /// In basis points.
    pub(crate) fn share(&self) -> u32 {
        match (self.stage, self.everyone) {
            (Stage::Live, true) => 10_000,
            (Stage::Live, false) => 1,
            _ => 0,
        }
    }

    pub(crate) fn packed(&self) -> u32 {
        let mut bits = self.expand as u32;
        bits = bits << 3 | self.stage as u32;
        bits = bits << 1 | u32::from(self.everyone);
        bits = bits << 1 | u32::from(self.drained);
        for side in 0..2 {
            bits = bits << 2 | self.since[side] as u32;
            bits = bits << 2 | self.ledger[side] as u32;
            bits = bits << 2 | self.verified[side] as u32;
        }
        bits = bits << 4
            | self.comparing.map_or(0, |running| {
                let side = running.side as u32;
                1 | side << 1 | u32::from(running.counts) << 2 | u32::from(running.differs) << 3
            });
        bits = bits << 1 | u32::from(self.switched);
        bits = bits << 2 | self.release as u32;
        bits << 3 | self.drop as u32
    }
}
