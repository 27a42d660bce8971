//! Where a rollback can end, and the ways that lead there.
//!
//! Comes in: a position and the route. Goes out: the ways back, each with where it leads.
//! Must not know: any connection, any gate.

use clap::ValueEnum;
use zdm_runtime::manifest::Route;
use zdm_runtime::{Share, Stage};

use super::position::{Position, WayBack};

/// A place where a way back ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Rest {
    /// From contract, as long as old is kept: it has its names again; writes go on keeping new alone
    Complete,
    /// From complete: writes keep both sides again, old is filled and verified; reads stay on new
    RampDown,
    /// All reads go to old; writes go on keeping both sides
    DualWrite,
    /// Writes keep old alone; new is still there
    Off,
    /// Expand is undone
    Absent,
}

impl Rest {
    /// As `--to` and the control tables spell it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::RampDown => "ramp_down",
            Self::DualWrite => "dual_write",
            Self::Off => "off",
            Self::Absent => "absent",
        }
    }

    /// What the control tables hold; an unknown name is nobody's goal.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }

    /// Where a migration is then.
    pub(crate) const fn position(self) -> Position {
        match self {
            Self::Complete => Position::At(Stage::Complete, Share::ALL),
            Self::RampDown => Position::At(Stage::RampDown, Share::ALL),
            Self::DualWrite => Position::At(Stage::DualWrite, Share::NONE),
            Self::Off => Position::At(Stage::Off, Share::NONE),
            Self::Absent => Position::Absent,
        }
    }
}

impl Position {
    /// The place that this is, if a way back can end there.
    pub(crate) const fn rest(self) -> Option<Rest> {
        match self {
            Self::Absent => Some(Rest::Absent),
            Self::At(Stage::Off, _) => Some(Rest::Off),
            Self::At(Stage::DualWrite, _) => Some(Rest::DualWrite),
            Self::At(Stage::RampDown, _) => Some(Rest::RampDown),
            Self::At(Stage::Complete, _) => Some(Rest::Complete),
            Self::Begun(..)
            | Self::Expanded
            | Self::At(Stage::Shadow | Stage::Live, _)
            | Self::Kept(_)
            | Self::Dropping(..)
            | Self::Contracted => None,
        }
    }

    /// All ways back from here, one after the other.
    pub(crate) fn ways_back(self, route: Route, reversible: bool) -> Vec<(WayBack, Rest)> {
        let (mut ways, mut from) = (Vec::new(), self);
        loop {
            let way = from.way_back(route, reversible);
            let rest = match way {
                WayBack::Nothing | WayBack::Finish | WayBack::Gone(_) => return ways,
                WayBack::BringBack => Rest::Complete,
                WayBack::UndoExpand => Rest::Absent,
                WayBack::WriteOld | WayBack::Reopen | WayBack::Readmit => Rest::Off,
                WayBack::ReadOld => Rest::DualWrite,
                WayBack::ReviveOld | WayBack::NameOld => Rest::RampDown,
            };
            ways.push((way, rest));
            from = rest.position();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests(from: Position, route: Route) -> Vec<Rest> {
        let ways = from.ways_back(route, true).into_iter();
        ways.map(|(_, rest)| rest).collect()
    }

    #[test]
    fn every_way_back_ends_at_absent() {
        use Rest::{Absent, DualWrite, Off, RampDown};
        let five = |stage| rests(Position::At(stage, Share::NONE), Route::FivePhases);
        assert_eq!(five(Stage::Complete), [RampDown, DualWrite, Off, Absent]);
        assert_eq!(five(Stage::RampDown), [DualWrite, Off, Absent]);
        assert_eq!(five(Stage::Live), [DualWrite, Off, Absent]);
        assert_eq!(five(Stage::Off), [Absent]);
        let complete = Position::At(Stage::Complete, Share::NONE);
        assert_eq!(rests(complete, Route::ExpandContract), [Off, Absent]);
        assert_eq!(rests(complete, Route::Rename), [RampDown, Off, Absent]);
        assert_eq!(rests(Position::Expanded, Route::Direct), [Absent]);
        assert_eq!(rests(Position::Begun(1, 2), Route::Direct), [Absent]);
        assert_eq!(rests(Position::Absent, Route::Direct), []);
        assert_eq!(rests(Position::Contracted, Route::FivePhases), []);
    }

    #[test]
    fn what_is_kept_comes_back_first() {
        let kept = rests(Position::Kept(0), Route::FivePhases);
        let all = [
            Rest::Complete,
            Rest::RampDown,
            Rest::DualWrite,
            Rest::Off,
            Rest::Absent,
        ];
        assert_eq!(kept, all);
        let one_way = Position::Kept(0).ways_back(Route::FivePhases, false);
        assert_eq!(one_way, [(WayBack::BringBack, Rest::Complete)]);
    }

    #[test]
    fn nothing_comes_back_once_a_part_of_it_is_dropped() {
        assert_eq!(rests(Position::Dropping(1, 4), Route::FivePhases), []);
    }

    #[test]
    fn names_lead_back_to_their_places() {
        for rest in Rest::value_variants() {
            assert_eq!(Rest::named(rest.name()), Some(*rest));
            assert_eq!(rest.position().rest(), Some(*rest));
        }
        assert_eq!(Rest::named("live"), None);
    }
}
