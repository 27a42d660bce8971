//! The way of a rehearsal: which step follows which, which edges back are taken, and which forms of the code may run where.
//!
//! Comes in: positions. Goes out: what is next. Pure. Must not know: any database, the load.

use std::collections::BTreeSet;

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::Phase;
use zdm_runtime::{Share, Stage};

use crate::operate::position::{Move, Position, WayBack, said};
use crate::pipeline::rehearsed::Form;

/// The edges back.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// Those that were taken.
    pub(super) taken: BTreeSet<&'static str>,
    /// Where there is none, with the reasons.
    pub(super) none: BTreeSet<String>,
    /// A backfill has been at every row.
    pub(super) filled: bool,
}

const ALL_BACK: &str = "live at 100% → dual_write";

impl Edges {
    /// Every share of the ramp was seen: from now on all reads go over at once.
    pub(super) fn is_ramped(&self) -> bool {
        self.taken.contains(ALL_BACK)
    }

    /// Whether the edge back from here has yet to be taken. It is, by this.
    pub(super) fn is_due(&mut self, position: Position, way: WayBack) -> bool {
        let edge = match (position, way) {
            (Position::At(stage, _), WayBack::Gone(reason)) => {
                self.none.insert(format!("{}: {reason}", stage.name()));
                return false;
            }
            (_, WayBack::Nothing | WayBack::Finish | WayBack::Gone(_)) => return false,
            (_, WayBack::UndoExpand) => "expanded → absent",
            (Position::At(Stage::Live, Share::ALL), _) => ALL_BACK,
            (Position::At(Stage::Live, _), _) => "live → dual_write",
            (Position::At(Stage::Shadow, _), _) => "shadow → dual_write",
            (Position::At(Stage::RampDown, _), WayBack::ReadOld) => "ramp_down → dual_write",
            (Position::At(Stage::RampDown, _), _) => "ramp_down → off",
            (Position::At(Stage::DualWrite, _), _) if self.filled => "dual_write, filled → off",
            (Position::At(Stage::DualWrite, _), _) => "dual_write → off",
            (Position::Kept(_), _) => "kept → complete",
            (Position::At(Stage::Complete, _), WayBack::Reopen) => "complete → off",
            (Position::At(Stage::Complete, _), _) => "complete → ramp_down",
            _ => return false,
        };
        self.taken.insert(edge)
    }
}

/// The whole way in words, a line per step; whether contract keeps old for a time.
pub(super) fn plan(route: Route, (reversible, keeps): (bool, bool), ramp: &[Share]) -> Vec<String> {
    let (mut edges, mut lines) = (Edges::default(), Vec::new());
    let mut at = Position::Absent;
    loop {
        let way = at.way_back(route, reversible);
        let forms: Vec<_> = crew(at, route).into_iter().map(words).collect();
        let load = format!("{:<13} {} under load", shown(at), forms.join(" and "));
        if edges.is_due(at, way) {
            let to = before(at, way);
            if way != WayBack::UndoExpand {
                lines.push(load);
            }
            lines.push(format!("{:<13} back to {}", shown(at), shown(to)));
            at = to;
            continue;
        }
        lines.push(load);
        let Some(step) = at.next(route) else {
            return lines;
        };
        if step == Move::Shadow && !edges.filled {
            edges.filled = true;
            let killed = "an instance and the backfill are killed, the backfill goes on";
            lines.push(format!("{:<13} {killed}", "backfill"));
        }
        at = match step {
            Move::Live { above } => {
                let mut ramp = ramp.iter().filter(|_| !edges.is_ramped());
                let share = ramp.find(|share| share.basis_points() > above);
                Position::At(Stage::Live, share.copied().unwrap_or(Share::ALL))
            }
            Move::Expand if route == Route::Direct => Position::Expanded,
            Move::Contract if keeps => Position::Kept(0),
            step => after(step),
        };
    }
}

/// Where an edge back leads.
pub(super) fn before(from: Position, way: WayBack) -> Position {
    match way {
        WayBack::UndoExpand => Position::Absent,
        WayBack::WriteOld | WayBack::Reopen | WayBack::Readmit => {
            Position::At(Stage::Off, Share::NONE)
        }
        WayBack::BringBack => Position::At(Stage::Complete, Share::ALL),
        WayBack::ReviveOld | WayBack::NameOld => Position::At(Stage::RampDown, Share::ALL),
        WayBack::ReadOld => Position::At(Stage::DualWrite, Share::NONE),
        WayBack::Nothing | WayBack::Finish | WayBack::Gone(_) => from,
    }
}

/// The forms that may run at a position.
pub(super) fn crew(position: Position, route: Route) -> BTreeSet<Form> {
    let finished = if route.has_final_code() {
        Form::Final
    } else {
        Form::New
    };
    match position {
        Position::Absent | Position::Begun(..) => [Form::Old].into(),
        Position::Expanded | Position::At(Stage::Off, _) => [Form::Old, Form::New].into(),
        Position::At(Stage::Complete, _) => [Form::New, finished].into(),
        Position::At(..) => [Form::New].into(),
        Position::Kept(_) | Position::Dropping(..) | Position::Contracted => [finished].into(),
    }
}

/// Those that may run here and there, and so while the migration moves from the one to the other.
pub(super) fn both(from: Position, to: Position, route: Route) -> BTreeSet<Form> {
    crew(from, route)
        .intersection(&crew(to, route))
        .copied()
        .collect()
}

/// Where a step leads.
pub(super) fn after(step: Move) -> Position {
    match step {
        Move::Expand => Position::At(Stage::Off, Share::NONE),
        Move::DualWrite => Position::At(Stage::DualWrite, Share::NONE),
        Move::Shadow => Position::At(Stage::Shadow, Share::NONE),
        Move::Live { .. } => Position::At(Stage::Live, Share::ALL),
        Move::RampDown => Position::At(Stage::RampDown, Share::ALL),
        Move::Complete => Position::At(Stage::Complete, Share::ALL),
        Move::Contract | Move::DropKept => Position::Contracted,
    }
}

/// The phase that a step belongs to.
pub(super) fn phase(step: Move) -> Phase {
    match step {
        Move::Expand => Phase::Expand,
        Move::DualWrite => Phase::DualWrite,
        Move::Shadow => Phase::Backfill,
        Move::Live { .. } => Phase::SwitchReads,
        Move::RampDown | Move::Complete | Move::Contract | Move::DropKept => Phase::Contract,
    }
}

/// A position, for people.
pub(super) fn shown(position: Position) -> String {
    match position {
        Position::Absent => "before".to_owned(),
        Position::At(Stage::Live, share) => {
            format!("live {}", said(share))
        }
        other => other.name(),
    }
}

/// A form of the code, for people.
pub(super) fn words(form: Form) -> &'static str {
    match form {
        Form::Old => "old code",
        Form::New => "new code",
        Form::Final => "final code",
    }
}

#[cfg(test)]
mod tests {
    use zdm_runtime::By;

    use super::*;

    #[test]
    fn every_way_back_is_taken_once_and_the_way_ends() {
        let plan = plan(
            Route::FivePhases,
            (true, false),
            &[Share::of(100, By::Key), Share::ALL],
        );
        let back = plan.iter().filter(|line| line.contains("back to"));
        assert_eq!(back.count(), 8, "{plan:#?}");
        assert!(
            plan.last()
                .is_some_and(|line| line.starts_with("contracted"))
        );
        for stage in [
            "off",
            "dual_write",
            "shadow",
            "live 1%",
            "live 100%",
            "ramp_down",
            "complete",
        ] {
            assert!(
                plan.iter().any(|line| line.starts_with(stage)),
                "{stage}: {plan:#?}"
            );
        }
    }

    #[test]
    fn a_one_way_version_names_what_it_cannot_take_back() {
        let mut edges = Edges::default();
        let complete = Position::At(Stage::Complete, Share::ALL);
        let way = complete.way_back(Route::FivePhases, false);
        assert!(!edges.is_due(complete, way));
        assert_eq!(edges.none.len(), 1);
        let plan = plan(Route::FivePhases, (false, false), &[Share::ALL]);
        assert!(
            plan.last()
                .is_some_and(|line| line.starts_with("contracted"))
        );
    }

    #[test]
    fn what_is_kept_comes_back_before_it_is_dropped() {
        let plan = plan(Route::FivePhases, (true, true), &[Share::ALL]);
        let end: Vec<_> = plan.iter().rev().take(5).rev().collect();
        let shown: Vec<_> = end
            .iter()
            .filter_map(|line| line.split(' ').next())
            .collect();
        let way = ["kept", "kept", "complete", "kept", "contracted"];
        assert_eq!(shown, way, "{plan:#?}");
        assert!(end[1].ends_with("back to complete"), "{plan:#?}");
    }

    #[test]
    fn old_and_new_code_meet_only_where_both_may_run() {
        let off = Position::At(Stage::Off, Share::NONE);
        let both_at_off = both(Position::Absent, off, Route::FivePhases);
        assert_eq!(both_at_off, [Form::Old].into());
        let to_dual_write = both(
            off,
            Position::At(Stage::DualWrite, Share::NONE),
            Route::FivePhases,
        );
        assert_eq!(to_dual_write, [Form::New].into());
        let contracted = both(
            Position::At(Stage::Complete, Share::NONE),
            Position::Contracted,
            Route::FivePhases,
        );
        assert_eq!(contracted, [Form::Final].into());
    }
}
