//! What the gates would read in the control tables: a state of the model as the runtime's own facts.
//!
//! Epochs are numbers there and comparisons here, so each gets one that compares the same.

use std::collections::{BTreeMap, BTreeSet};

use zdm_runtime::between::{Between, Protection};
use zdm_runtime::facts::{
    Fact, Facts, Progress, Quarantine as Quarantined, Record, Standing, Steps, Verification,
};
use zdm_runtime::fleet::Member;
use zdm_runtime::gates::Side;
use zdm_runtime::manifest::{MoveWay, Moved, Route};
use zdm_runtime::phase::Section;
use zdm_runtime::{By, Share};

use crate::protocol::Configuration;
use crate::state::{
    Control, Drop, Expand, Instance, Ledger, Quarantine, Release, Row, Seen, Since, State,
    Verified, at,
};

/// The present hop, and one from which a side may have been maintained since.
const NOW: i64 = 9;
const LATER: i64 = 5;

/// Everything that a gate asks.
pub(crate) fn of(state: &State, configuration: &Configuration) -> Facts {
    let control = &state.control;
    Facts {
        migration: "0123456789ab".to_owned(),
        route: Route::FivePhases,
        reversible: configuration.reversible,
        now: 1_000,
        record: Fact::Known(Record {
            expanded: matches!(control.expand, Expand::Done | Expand::Asked | Expand::Gone),
            contracted: control.drop == Drop::Recorded,
            rolled_back_at: None,
            rolled_back_to: None,
            kept_until: None,
            kept_since: None,
            taken_back_at: None,
        }),
        standing: Fact::Known((control.expand != Expand::Absent).then(|| standing(control))),
        neighbours: Fact::Known(Vec::new()),
        instances: Fact::Known(state.instances.into_iter().filter_map(member).collect()),
        backfill: Fact::Known(progress(control.ledger[at(Side::New)])),
        reverse_backfill: Fact::Known(progress(control.ledger[at(Side::Old)])),
        verification_of_new: Fact::Known(verification(control, Side::New)),
        verification_of_old: Fact::Known(verification(control, Side::Old)),
        quarantine: Fact::Known(quarantine(&state.rows, configuration)),
        sections: Fact::Known(sections(control)),
        rebuilds: BTreeSet::new(),
        shadow_mismatches: Fact::Known(0),
        between: Fact::Known(vec![columns_move()]),
        backup_at: Fact::Known(None),
        approvals: Fact::Known(Vec::new()),
    }
}

/// Between tables of which nobody but a superuser knows, so that their gates are asked.
fn columns_move() -> Between {
    let of_both = |name: &str| (name.to_owned(), name.to_owned());
    Between {
        moved: Moved {
            main: "rows".to_owned(),
            part: "others".to_owned(),
            way: MoveWay::Merge,
            key: vec![of_both("id")],
            columns: vec![of_both("value")],
        },
        main: Protection::default(),
        part: Protection::default(),
        roles: Vec::new(),
    }
}

fn standing(control: &Control) -> Standing {
    let since = |side| match control.since[at(side)] {
        Since::Not => None,
        Since::Always => Some(0),
        Since::Later => Some(LATER),
    };
    Standing {
        stage: control.stage,
        share: Share::of(control.share(), By::Key),
        epoch: NOW,
        drained_epoch: if control.drained { NOW } else { NOW - 1 },
        entered_at: 500,
        old_since: since(Side::Old),
        new_since: since(Side::New),
        paused_at: None,
    }
}

fn member(instance: Instance) -> Option<Member> {
    let code = instance.code.state();
    (instance.code.runs()).then(|| Member {
        instance: "instance".to_owned(),
        label: "instance".to_owned(),
        name: None,
        living: instance.living,
        lease_left_ms: if instance.living { 9_000 } else { -1 },
        code,
        behind: i64::from(instance.seen != Seen::Present),
        held: None,
    })
}

fn progress(ledger: Ledger) -> Progress {
    Progress {
        not_begun: match ledger {
            Ledger::NotBegun => vec!["rows".to_owned()],
            Ledger::Open | Ledger::Done => Vec::new(),
        },
        done: i64::from(ledger == Ledger::Done),
        chunks: i64::from(ledger != Ledger::NotBegun),
    }
}

fn verification(control: &Control, side: Side) -> Option<Verification> {
    let verified = control.verified[at(side)];
    let passed = matches!(verified, Verified::Passed | Verified::Outdated);
    (verified != Verified::Never).then(|| Verification {
        epoch: if verified == Verified::Outdated {
            LATER - 1
        } else {
            NOW
        },
        passed,
        mismatches: i64::from(!passed),
        started_at: 600,
    })
}

fn quarantine(rows: &[Row], configuration: &Configuration) -> Quarantined {
    let count = |which| {
        let rows = rows.iter().filter(|row| row.quarantine == which);
        i64::try_from(rows.count()).unwrap_or(i64::MAX)
    };
    let (waiting, waived) = (count(Quarantine::Waiting), count(Quarantine::Waived));
    Quarantined {
        waiting,
        waived,
        unreadable: if configuration.new_required {
            waiting + waived
        } else {
            0
        },
    }
}

/// One step each, and no triggers.
fn sections(control: &Control) -> BTreeMap<Section, Steps> {
    let half = i64::from(control.release == Release::HalfUndone);
    let steps = |section: Section| {
        let done = match section {
            Section::Expand => control.expand != Expand::Absent,
            Section::DualWrite | Section::Keep | Section::DropKept => false,
            Section::SwitchReads => control.switched,
            Section::Release => control.release != Release::InForce,
            Section::Drop => matches!(control.drop, Drop::Dropped | Drop::Recorded),
        };
        let half = if section == Section::Release { half } else { 0 };
        let steps = Steps {
            done: i64::from(done),
            half,
            stuck: half,
            begun: 0,
            planned: i64::from(!matches!(
                section,
                Section::DualWrite | Section::Keep | Section::DropKept
            )),
        };
        (section, steps)
    };
    Section::ALL.into_iter().map(steps).collect()
}
