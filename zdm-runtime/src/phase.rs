//! The five phases and the folders of a version's directory. The only place that names them.

/// A phase of the expand/contract pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "operate", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "operate", serde(rename_all = "snake_case"))]
pub enum Phase {
    /// New stands beside old.
    Expand,
    /// Every write keeps both sides.
    DualWrite,
    /// Rows from before get their new side.
    Backfill,
    /// Readers move over, behind a flag.
    SwitchReads,
    /// Old goes.
    Contract,
}

impl Phase {
    /// All five, in their order.
    pub const ALL: [Self; 5] = [
        Self::Expand,
        Self::DualWrite,
        Self::Backfill,
        Self::SwitchReads,
        Self::Contract,
    ];

    /// The name in commands, JSON and folders: `dual_write`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::DualWrite => "dual_write",
            Self::Backfill => "backfill",
            Self::SwitchReads => "switch_reads",
            Self::Contract => "contract",
        }
    }
}

/// A folder of reviewed SQL with an `up.sql` and a `down.sql`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "operate", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "operate", serde(rename_all = "snake_case"))]
pub enum Section {
    /// `1_expand`: before the code that needs it is deployed.
    Expand,
    /// `2_dual_write`: triggers, only where they were chosen.
    DualWrite,
    /// `4_switch_reads`: constraints and indexes on new, after verification.
    SwitchReads,
    /// `5_contract/1_release`: old's NOT NULL, unique indexes and constraints go, before `complete`.
    Release,
    /// `5_contract/2_drop`: old goes.
    Drop,
    /// `5_contract/2_keep`: old is renamed away, where a way back is kept for a time. Such a version has no `2_drop`.
    Keep,
    /// `5_contract/3_drop`: what was kept goes.
    DropKept,
}

impl Section {
    /// All sections, in the order in which they are executed.
    pub const ALL: [Self; 7] = [
        Self::Expand,
        Self::DualWrite,
        Self::SwitchReads,
        Self::Release,
        Self::Drop,
        Self::Keep,
        Self::DropKept,
    ];

    /// The folder below the version's directory.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Expand => "1_expand",
            Self::DualWrite => "2_dual_write",
            Self::SwitchReads => "4_switch_reads",
            Self::Release => "5_contract/1_release",
            Self::Drop => "5_contract/2_drop",
            Self::Keep => "5_contract/2_keep",
            Self::DropKept => "5_contract/3_drop",
        }
    }

    /// The name in the control tables: `switch_reads`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::DualWrite => "dual_write",
            Self::SwitchReads => "switch_reads",
            Self::Release => "release",
            Self::Drop => "drop",
            Self::Keep => "keep",
            Self::DropKept => "drop_kept",
        }
    }

    /// The phase that the section belongs to.
    pub const fn phase(self) -> Phase {
        match self {
            Self::Expand => Phase::Expand,
            Self::DualWrite => Phase::DualWrite,
            Self::SwitchReads => Phase::SwitchReads,
            Self::Release | Self::Drop | Self::Keep | Self::DropKept => Phase::Contract,
        }
    }
}

/// The folder of the backfill's statements: `batch.sql`, `verify.sql` and what they need.
pub const BACKFILL_FOLDER: &str = "3_backfill";
