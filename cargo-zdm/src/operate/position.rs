//! Where a migration stands in one database, the next step forward from there, and the way back.
//!
//! Comes in: the route, and what the control tables hold. Goes out: a [`Move`] or a [`WayBack`].
//! Must not know: any connection, any gate: whether a move is allowed now is the gates' business.

use zdm_runtime::facts::{Fact, Facts};
use zdm_runtime::gates::PAST_RETURN;
use zdm_runtime::manifest::{Manifest, Route};
use zdm_runtime::phase::Section;
use zdm_runtime::{By, Share, Stage};

use crate::error::Failure;

/// Where a migration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The database lacks it.
    Absent,
    /// Expand was interrupted: so many of its steps are in effect, of so many.
    Begun(i64, i64),
    /// Expanded, on the direct route: that was all.
    Expanded,
    /// In transition, with the share of reads that go to new.
    At(Stage, Share),
    /// No code may name old any more, which is kept under another name until this time, in milliseconds since 1970.
    Kept(i64),
    /// The drop of what was kept was interrupted: so many of its steps are in effect, of so many.
    Dropping(i64, i64),
    /// Finished: old is gone.
    Contracted,
}

/// One step forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// New beside old.
    Expand,
    /// Writes keep both sides.
    DualWrite,
    /// Fill, verify, constrain new, then compare reads.
    Shadow,
    /// Reads above this share go to new next.
    Live {
        /// The share now.
        above: u32,
    },
    /// All reads are on new for good.
    RampDown,
    /// Writes leave old.
    Complete,
    /// Old goes, or is kept under another name for a time.
    Contract,
    /// What was kept goes.
    DropKept,
}

/// The right way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// The database lacks it: nothing to take back.
    Nothing,
    /// Run expand's `down.sql`.
    UndoExpand,
    /// Drop new's constraints, then write old alone.
    WriteOld,
    /// Read old again; writes go on keeping both sides.
    ReadOld,
    /// Write both again, fill old from new, verify old.
    ReviveOld,
    /// Give old, which is kept under another name, its name back.
    BringBack,
    /// Let code that names old write again; nothing was dropped yet.
    Reopen,
    /// Give columns that have other names the old ones back.
    NameOld,
    /// Let code run again that knows the old names alone.
    Readmit,
    /// End what an earlier way back has begun and not ended; nothing more, so that it may be repeated.
    Finish,
    /// There is none.
    Gone(&'static str),
}

impl Position {
    /// Read off the facts; what could not be read is an error, not a guess.
    pub(crate) fn of(facts: &Facts) -> Result<Self, Failure> {
        let record = known(&facts.record)?;
        let standing = known(&facts.standing)?;
        Ok(match (record, standing) {
            (record, _) if record.contracted => match record.kept_until {
                Some(until) => Self::kept(facts, until)?,
                None => Self::Contracted,
            },
            (record, _) if !record.expanded => Self::before_expand(facts)?,
            (_, Some(standing)) => Self::At(standing.stage, standing.share),
            (_, None) => Self::Expanded,
        })
    }

    /// Nothing of it is there, or some of its steps, or its stage, which goes last.
    fn before_expand(facts: &Facts) -> Result<Self, Failure> {
        let sections = known(&facts.sections)?;
        let steps = sections.get(&Section::Expand).copied().unwrap_or_default();
        Ok(match (steps.to_undo(), known(&facts.standing)?) {
            (0, None) => Self::Absent,
            _ => Self::Begun(steps.done, steps.planned),
        })
    }

    /// Old is kept as a whole, or some of it is dropped already.
    fn kept(facts: &Facts, until: i64) -> Result<Self, Failure> {
        let sections = known(&facts.sections)?;
        let steps = sections.get(&Section::DropKept);
        let steps = steps.copied().unwrap_or_default();
        Ok(match steps.to_undo() {
            0 => Self::Kept(until),
            _ => Self::Dropping(steps.done, steps.planned),
        })
    }

    /// Under way: begun and not finished.
    pub(crate) fn in_transition(self) -> bool {
        matches!(
            self,
            Self::Begun(..) | Self::At(..) | Self::Kept(_) | Self::Dropping(..)
        )
    }

    /// The next step on the route, `None` where the migration is finished.
    pub(crate) fn next(self, route: Route) -> Option<Move> {
        let stage = match self {
            Self::Absent | Self::Begun(..) => return Some(Move::Expand),
            Self::Kept(_) | Self::Dropping(..) => return Some(Move::DropKept),
            Self::Expanded | Self::Contracted => return None,
            Self::At(Stage::Live, share) if share != Share::ALL => {
                let above = share.basis_points();
                return Some(Move::Live { above });
            }
            Self::At(stage, _) => stage,
        };
        Some(match stage {
            Stage::Off if route == Route::FivePhases => Move::DualWrite,
            Stage::Off if route == Route::Rename => Move::RampDown,
            Stage::DualWrite => Move::Shadow,
            Stage::Shadow => Move::Live { above: 0 },
            Stage::Live => Move::RampDown,
            Stage::Off | Stage::RampDown => Move::Complete,
            Stage::Complete => Move::Contract,
        })
    }

    /// The way back from here.
    pub(crate) fn way_back(self, route: Route, reversible: bool) -> WayBack {
        match self {
            Self::Absent => WayBack::Nothing,
            Self::Begun(..) | Self::Expanded | Self::At(Stage::Off, _) => WayBack::UndoExpand,
            Self::At(Stage::RampDown, _) if route == Route::Rename => WayBack::Readmit,
            Self::At(Stage::Complete, _) if route == Route::Rename => WayBack::NameOld,
            Self::At(Stage::DualWrite, _) if reversible => WayBack::WriteOld,
            Self::At(Stage::DualWrite, _) => WayBack::Gone(PAST_RETURN),
            Self::At(Stage::Shadow | Stage::Live | Stage::RampDown, _) => WayBack::ReadOld,
            Self::At(Stage::Complete, _) if route != Route::FivePhases => WayBack::Reopen,
            Self::At(Stage::Complete, _) if reversible => WayBack::ReviveOld,
            Self::At(Stage::Complete, _) => WayBack::Gone(
                "writes keep new alone, and the migration is one-way: nothing declares how old is computed from new (`down`)",
            ),
            Self::Kept(_) => WayBack::BringBack,
            Self::Dropping(..) => WayBack::Gone(
                "the drop of what was kept has begun (5_contract/3_drop), and what is dropped nothing brings back",
            ),
            Self::Contracted => WayBack::Gone(
                "old is dropped, and with it what only old held; the down.sql of its drop below 5_contract says what a restored column \
                 would lack",
            ),
        }
    }

    /// What its next share is counted by, if nobody says: the same as now, at first what the policy says.
    pub(crate) fn counted_by(self, at_first: By) -> By {
        match self {
            Self::At(Stage::Live, share) if share != Share::ALL => share.by(),
            _ => at_first,
        }
    }

    /// In a few words, for people and programs.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Absent => "absent".to_owned(),
            Self::Begun(..) => "expanding".to_owned(),
            Self::Expanded => "expanded".to_owned(),
            Self::At(stage, _) => stage.name().to_owned(),
            Self::Kept(_) => "kept".to_owned(),
            Self::Dropping(..) => "dropping".to_owned(),
            Self::Contracted => "contracted".to_owned(),
        }
    }
}

impl Move {
    /// In plain English, for `status` and `advance`.
    pub(crate) fn describe(self, manifest: &Manifest) -> String {
        if manifest.route == Route::Rename {
            return self.of_names().to_owned();
        }
        if let (Self::Contract, Some(keep)) = (self, &manifest.keep) {
            let window = keep.window();
            return format!("contract: old gets another name, under which it is kept for {window}");
        }
        match self {
            Self::DropKept => "drop what is kept: from then on nothing brings old back".to_owned(),
            Self::Expand => "expand: put new beside old".to_owned(),
            Self::DualWrite => "dual_write: every write keeps both sides".to_owned(),
            Self::Shadow => {
                "shadow: backfill, verify, constrain new, then compare reads".to_owned()
            }
            Self::Live { above: 0 } => "live: the first reads go to new".to_owned(),
            Self::Live { above } => {
                format!("live: more than {} of reads go to new", percent(above))
            }
            Self::RampDown => "ramp_down: all reads stay on new".to_owned(),
            Self::Complete => "complete: writes leave old".to_owned(),
            Self::Contract => "contract: old goes".to_owned(),
        }
    }
}

impl Move {
    /// The same where nothing but names changes.
    fn of_names(self) -> &'static str {
        match self {
            Self::Expand => "expand: a view with the new names",
            Self::Complete => "complete: the columns get their new names",
            Self::Contract => "contract: the view goes",
            Self::DropKept => "drop what is kept: from then on nothing brings it back",
            _ => "ramp_down: code that names old is kept out",
        }
    }
}

impl WayBack {
    /// What a rollback will do, before it does it.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Nothing => "the database lacks this migration: nothing to take back",
            Self::UndoExpand => "expand is undone (1_expand/down.sql)",
            Self::WriteOld => {
                "new's constraints go (4_switch_reads/down.sql), then writes keep old alone; backfill and verification start over"
            }
            Self::ReadOld => {
                "all reads go to old at once (dual_write); writes go on keeping both sides, so nothing is lost"
            }
            Self::ReviveOld => {
                "writes keep both sides again (ramp_down), then old is filled from new and verified; reads stay on new"
            }
            Self::BringBack => {
                "what is kept gets its names back (5_contract/2_keep/down.sql); writes keep new alone (complete)"
            }
            Self::Reopen => {
                "code that names old may write again (off); 5_contract/1_release/down.sql restores what was released"
            }
            Self::NameOld => {
                "code that names the table itself is kept out (ramp_down), then 5_contract/1_release/down.sql gives the old names back"
            }
            Self::Readmit => {
                "what 5_contract/1_release has changed is taken back, then code from before may run again (off)"
            }
            Self::Finish => {
                "an earlier way back to here was interrupted: what it had begun is ended"
            }
            Self::Gone(reason) => reason,
        }
    }
}

/// A fact's answer; what could not be read is an error, not a guess.
pub(crate) fn known<T>(fact: &Fact<T>) -> Result<&T, Failure> {
    match fact {
        Fact::Known(answer) => Ok(answer),
        Fact::Unknown(reason) => Err(Failure::environment(
            format!("the control tables cannot be read: {reason}"),
            "check the role's rights on them, then run the command again",
        )
        .safe("nothing has been changed")),
    }
}

/// A share as people say it: `25%`, `25% by instance`.
pub(crate) fn said(share: Share) -> String {
    let percent = percent(share.basis_points());
    match share.by() {
        By::Key => percent,
        By::Instance => format!("{percent} by instance"),
    }
}

/// Basis points as people write them: `25%`, `0.5%`.
pub(crate) fn percent(basis_points: u32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    if rest == 0 {
        format!("{whole}%")
    } else {
        format!("{whole}.{rest:02}%").replace("0%", "%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Route = Route::FivePhases;

    /// Following `next` from nothing to the end passes every stage once and stops.
    #[test]
    fn forward_reaches_the_end() {
        let mut position = Position::Absent;
        let mut passed = Vec::new();
        while let Some(step) = position.next(Route::FivePhases) {
            passed.push(step);
            position = match step {
                Move::Expand => Position::At(Stage::Off, Share::NONE),
                Move::DualWrite => Position::At(Stage::DualWrite, Share::NONE),
                Move::Shadow => Position::At(Stage::Shadow, Share::NONE),
                Move::Live { above: 0 } => Position::At(Stage::Live, Share::of(100, By::Key)),
                Move::Live { .. } => Position::At(Stage::Live, Share::ALL),
                Move::RampDown => Position::At(Stage::RampDown, Share::ALL),
                Move::Complete => Position::At(Stage::Complete, Share::ALL),
                Move::Contract => Position::Kept(0),
                Move::DropKept => Position::Contracted,
            };
        }
        assert_eq!(
            passed,
            [
                Move::Expand,
                Move::DualWrite,
                Move::Shadow,
                Move::Live { above: 0 },
                Move::Live { above: 100 },
                Move::RampDown,
                Move::Complete,
                Move::Contract,
                Move::DropKept
            ]
        );
    }

    #[test]
    fn short_routes_end_early() {
        assert_eq!(Position::Expanded.next(Route::Direct), None);
        assert_eq!(
            Position::Begun(1, 3).next(Route::Direct),
            Some(Move::Expand)
        );
        assert_eq!(
            Position::Begun(1, 3).way_back(Route::Direct, true),
            WayBack::UndoExpand
        );
        let off = Position::At(Stage::Off, Share::NONE);
        assert_eq!(off.next(Route::ExpandContract), Some(Move::Complete));
        let complete = Position::At(Stage::Complete, Share::NONE);
        assert_eq!(complete.next(Route::ExpandContract), Some(Move::Contract));
        assert_eq!(
            complete.way_back(Route::ExpandContract, false),
            WayBack::Reopen
        );
        assert_eq!(Position::Contracted.next(Route::ExpandContract), None);
    }

    #[test]
    fn names_change_between_two_stages() {
        let stages = [Stage::Off, Stage::RampDown, Stage::Complete];
        let next = stages.map(|stage| Position::At(stage, Share::NONE).next(Route::Rename));
        let moves = [Move::RampDown, Move::Complete, Move::Contract];
        assert_eq!(next, moves.map(Some));
        let back =
            stages.map(|stage| Position::At(stage, Share::NONE).way_back(Route::Rename, true));
        let ways = [WayBack::UndoExpand, WayBack::Readmit, WayBack::NameOld];
        assert_eq!(back, ways);
    }

    #[test]
    fn every_stage_that_reads_new_goes_straight_to_old_reads() {
        for stage in [Stage::Shadow, Stage::Live, Stage::RampDown] {
            assert_eq!(
                Position::At(stage, Share::of(500, By::Key)).way_back(FIVE, false),
                WayBack::ReadOld
            );
        }
    }

    #[test]
    fn dual_write_has_a_way_back_only_with_down() {
        let dual_write = Position::At(Stage::DualWrite, Share::NONE);
        assert_eq!(dual_write.way_back(FIVE, true), WayBack::WriteOld);
        assert_eq!(dual_write.way_back(FIVE, false), WayBack::Gone(PAST_RETURN));
    }

    #[test]
    fn complete_has_a_way_back_only_with_down() {
        let complete = Position::At(Stage::Complete, Share::ALL);
        assert_eq!(complete.way_back(FIVE, true), WayBack::ReviveOld);
        assert!(
            matches!(complete.way_back(FIVE, false), WayBack::Gone(reason) if reason.contains("one-way"))
        );
        assert!(matches!(
            Position::Contracted.way_back(FIVE, true),
            WayBack::Gone(_)
        ));
    }

    #[test]
    fn a_share_is_counted_as_the_one_before() {
        let live = |points, by| Position::At(Stage::Live, Share::of(points, by));
        for by in [By::Key, By::Instance] {
            let shadow = Position::At(Stage::Shadow, Share::NONE);
            assert_eq!(shadow.counted_by(by), by);
            for first in [By::Key, By::Instance] {
                assert_eq!(live(2_500, by).counted_by(first), by);
                assert_eq!(live(10_000, by).counted_by(first), first);
            }
        }
    }

    #[test]
    fn shares_read_as_they_are_written() {
        for share in ["25%", "0.5%", "0.05%", "100%", "10%", "12.34%"] {
            assert_eq!(percent(crate::config::basis_points(share).unwrap()), share);
        }
    }
}
