//! Every gate open and shut, by a healthy migration and one thing that spoils it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::By;
use crate::audit::Approval;
use crate::code::CodeState;
use crate::facts::{Fact, Progress, Quarantine, Record, Standing, Steps, Verification};
use crate::fleet::Member;
use crate::neighbours::Neighbour;

const HOUR: i64 = 3_600_000;

/// Two days after it got to `stage`, with everything done that is done by then.
fn healthy(stage: Stage) -> Facts {
    let complete = stage == Stage::Complete;
    let steps = |section: Section| {
        let undone = match section {
            Section::Drop | Section::Keep | Section::DropKept => true,
            Section::SwitchReads => stage == Stage::Off,
            _ => false,
        };
        let done = i64::from(!undone);
        (section, whole(done))
    };
    Facts {
        migration: "0123456789ab".to_owned(),
        route: Route::FivePhases,
        reversible: true,
        rebuilds: BTreeSet::new(),
        now: 100 * HOUR,
        record: Fact::Known(Record {
            expanded: true,
            contracted: false,
            rolled_back_at: None,
            rolled_back_to: None,
            kept_until: None,
            kept_since: None,
            taken_back_at: None,
        }),
        standing: Fact::Known(Some(Standing {
            stage,
            share: Share::ALL,
            epoch: 9,
            drained_epoch: 9,
            entered_at: 50 * HOUR,
            old_since: (!complete).then_some(0),
            new_since: (stage != Stage::Off).then_some(2),
            paused_at: None,
        })),
        neighbours: Fact::Known(vec![neighbour(false, Stage::Off)]),
        instances: Fact::Known(vec![member(if complete {
            CodeState::Final
        } else {
            CodeState::Transition
        })]),
        backfill: Fact::Known(Progress {
            not_begun: Vec::new(),
            done: 4,
            chunks: 4,
        }),
        reverse_backfill: Fact::Known(Progress::default()),
        verification_of_new: Fact::Known(Some(Verification {
            epoch: 9,
            passed: true,
            mismatches: 0,
            started_at: 60 * HOUR,
        })),
        verification_of_old: Fact::Known(None),
        quarantine: Fact::Known(Quarantine::default()),
        sections: Fact::Known(Section::ALL.into_iter().map(steps).collect()),
        shadow_mismatches: Fact::Known(0),
        approvals: Fact::Known(vec![approval("anna@laptop")]),
        between: Fact::Known(Vec::new()),
        backup_at: Fact::Known(Some(70 * HOUR)),
    }
}

fn approval(actor: &str) -> Approval {
    Approval {
        actor: actor.to_owned(),
        database_role: Some("shop_ddl".to_owned()),
        recorded_at: 60 * HOUR,
        note: String::new(),
        of_this_content: true,
        since_last_way_back: true,
    }
}

fn neighbour(earlier: bool, stage: Stage) -> Neighbour {
    let (folder, name) = if earlier {
        ("0001_one", "one")
    } else {
        ("0003_three", "three")
    };
    Neighbour {
        folder: folder.to_owned(),
        name: name.to_owned(),
        earlier,
        fills: true,
        needed: true,
        for_good: false,
        stage,
        kept_until: None,
    }
}

fn member(code: CodeState) -> Member {
    Member {
        instance: "a".to_owned(),
        label: "web-1".to_owned(),
        name: Some("web-1".to_owned()),
        living: true,
        lease_left_ms: 9_000,
        code: Some(code),
        behind: 0,
        held: None,
    }
}

fn strict() -> Policy {
    Policy {
        soak: Duration::from_hours(24),
        dwell: Duration::from_hours(1),
        verify_again: true,
        backup: true,
        approvals: 1,
        actor: "bert@bastion".to_owned(),
        sleepers: Duration::from_mins(10),
        instances: 0,
        waivers: Vec::new(),
    }
}

/// What is asked of the gates.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Hop(Stage, Stage),
    Back(Stage, Stage),
    Up(Section),
    Down(Section),
    Backfill(Side),
    Verify(Side),
}

use Ask::{Back, Backfill, Down, Hop, Up, Verify};
use Stage::{Complete, DualWrite, Live, Off, RampDown, Shadow};

fn answer(ask: Ask, facts: &Facts) -> Vec<Gate> {
    match ask {
        Hop(from, to) => for_hop(from, to, facts, &strict()),
        Back(from, to) => for_back(from, to, facts),
        Up(section) => for_section(section, Direction::Up, facts, &strict()),
        Down(section) => for_section(section, Direction::Down, facts, &strict()),
        Backfill(side) => for_backfill(side, facts),
        Verify(side) => for_verification(side, facts),
    }
}

/// The shut gates with their reasons.
fn shut(gates: &[Gate]) -> BTreeMap<&'static str, &str> {
    gates
        .iter()
        .filter(|gate| !gate.open)
        .map(|gate| (gate.name, gate.reason.as_str()))
        .collect()
}

fn standing(facts: &mut Facts) -> &mut Standing {
    match &mut facts.standing {
        Fact::Known(Some(standing)) => standing,
        other => panic!("{other:?}"),
    }
}

fn first(facts: &mut Facts) -> &mut Member {
    match &mut facts.instances {
        Fact::Known(members) => &mut members[0],
        Fact::Unknown(reason) => panic!("{reason}"),
    }
}

fn whole(done: i64) -> Steps {
    Steps {
        done,
        half: 0,
        stuck: 0,
        begun: 0,
        planned: 1,
    }
}

fn steps(facts: &mut Facts, section: Section, done: i64) {
    match &mut facts.sections {
        Fact::Known(sections) => sections.insert(section, whole(done)),
        Fact::Unknown(reason) => panic!("{reason}"),
    };
}

fn half(facts: &mut Facts, section: Section) {
    if let Fact::Known(sections) = &mut facts.sections {
        let steps = Steps {
            half: 1,
            stuck: 1,
            ..whole(1)
        };
        sections.insert(section, steps);
    }
}

/// Everything that a healthy migration may do at a stage.
const ALLOWED: [(Stage, Ask); 35] = [
    (Off, Hop(Off, DualWrite)),
    (DualWrite, Hop(DualWrite, Shadow)),
    (Shadow, Hop(Shadow, Live)),
    (Live, Hop(Live, Live)),
    (Live, Hop(Live, RampDown)),
    (RampDown, Hop(RampDown, Complete)),
    (Shadow, Back(Shadow, DualWrite)),
    (Live, Back(Live, DualWrite)),
    (Live, Back(Live, Shadow)),
    (Live, Back(Live, Live)),
    (RampDown, Back(RampDown, DualWrite)),
    (RampDown, Back(RampDown, Live)),
    (Off, Up(Section::Expand)),
    (Off, Up(Section::DualWrite)),
    (DualWrite, Up(Section::DualWrite)),
    (Off, Down(Section::DualWrite)),
    (DualWrite, Up(Section::SwitchReads)),
    (Live, Up(Section::SwitchReads)),
    (DualWrite, Down(Section::SwitchReads)),
    (RampDown, Up(Section::Release)),
    (RampDown, Down(Section::Release)),
    (DualWrite, Down(Section::Release)),
    (Complete, Up(Section::Drop)),
    (Complete, Down(Section::Drop)),
    (Complete, Up(Section::Keep)),
    (Complete, Down(Section::Keep)),
    (DualWrite, Backfill(Side::New)),
    (Live, Backfill(Side::New)),
    (RampDown, Backfill(Side::Old)),
    (DualWrite, Verify(Side::New)),
    (Shadow, Verify(Side::New)),
    (Live, Verify(Side::New)),
    (RampDown, Verify(Side::New)),
    (RampDown, Verify(Side::Old)),
    (DualWrite, Verify(Side::Old)),
];

#[test]
fn what_is_healthy_passes() {
    for (stage, ask) in ALLOWED {
        assert_eq!(
            shut(&answer(ask, &healthy(stage))),
            BTreeMap::new(),
            "{ask:?}"
        );
    }
}

/// One thing that shuts exactly one gate.
struct Case {
    at: Stage,
    ask: Ask,
    gate: &'static str,
    reason: &'static str,
    spoil: fn(&mut Facts),
}

const fn case(
    at: Stage,
    ask: Ask,
    gate: &'static str,
    reason: &'static str,
    spoil: fn(&mut Facts),
) -> Case {
    Case {
        at,
        ask,
        gate,
        reason,
        spoil,
    }
}

#[rustfmt::skip]
const CASES: [Case; 71] = [
    case(Off, Hop(Off, DualWrite), "in_turn", "0001_one came before it on the same table and is at dual_write", |f| f.neighbours = Fact::Known(vec![neighbour(true, DualWrite)])),
    case(Live, Hop(Live, RampDown), "in_turn", "0003_three came after it on the same table and is at live", |f| f.neighbours = Fact::Known(vec![neighbour(false, Live)])),
    case(Complete, Back(Complete, RampDown), "nothing_later_begun", "0003_three came after it on the same table and is at complete", |f| { f.neighbours = Fact::Known(vec![neighbour(false, Complete)]); first(f).code = Some(CodeState::Transition); }),
    case(Complete, Back(Complete, RampDown), "nothing_later_begun", "0003_three came after it, drops what leads back to old, and is at complete", |f| { f.neighbours = Fact::Known(vec![Neighbour { fills: false, ..neighbour(false, Complete) }]); first(f).code = Some(CodeState::Transition); }),
    case(Complete, Up(Section::Drop), "contracted_in_turn", "keeps old for another 5 h 0 min", |f| f.neighbours = Fact::Known(vec![Neighbour { kept_until: Some(105 * HOUR), ..neighbour(true, Complete) }])),
    case(Complete, Up(Section::Drop), "contracted_in_turn", "0001_one came before it", |f| f.neighbours = Fact::Known(vec![neighbour(true, Complete)])),
    case(DualWrite, Up(Section::SwitchReads), "contracted_in_turn", "0001_one came before it", |f| { f.neighbours = Fact::Known(vec![neighbour(true, Complete)]); f.rebuilds.insert(Section::SwitchReads); }),
    case(RampDown, Up(Section::Release), "contracted_in_turn", "0001_one came before it", |f| { f.neighbours = Fact::Known(vec![neighbour(true, Complete)]); f.rebuilds.insert(Section::Release); }),
    case(Off, Hop(Off, DualWrite), "not_paused", "paused for 1 h 0 min", |f| standing(f).paused_at = Some(99 * HOUR)),
    case(Off, Hop(Off, DualWrite), "drained", "before hop 9", |f| standing(f).drained_epoch = 8),
    case(Off, Hop(Off, DualWrite), "expanded", "expand is not done", |f| steps(f, Section::Expand, 0)),
    case(Off, Hop(Off, DualWrite), "expanded", "expand is not done", |f| f.record = Fact::Known(Record::default())),
    case(Off, Hop(Off, DualWrite), "known_everywhere", "web-1 run code from before", |f| first(f).code = None),
    case(Off, Hop(Off, DualWrite), "acknowledged", "web-1 have not acknowledged", |f| first(f).behind = 1),
    case(Off, Hop(Off, DualWrite), "section_done", "0 of 1 steps of 2_dual_write", |f| steps(f, Section::DualWrite, 0)),
    case(Off, Hop(Off, DualWrite), "standing", "is at shadow", |f| standing(f).stage = Shadow),
    case(DualWrite, Hop(DualWrite, Shadow), "drained", "before hop 9", |f| standing(f).drained_epoch = 8),
    case(DualWrite, Hop(DualWrite, Shadow), "backfilled", "users has not begun", |f| f.backfill = Fact::Known(Progress { not_begun: vec!["users".to_owned()], done: 0, chunks: 0 })),
    case(DualWrite, Hop(DualWrite, Shadow), "backfilled", "3 of 4 chunks", |f| f.backfill = Fact::Known(Progress { not_begun: vec![], done: 3, chunks: 4 })),
    case(DualWrite, Hop(DualWrite, Shadow), "verified", "never been verified", |f| f.verification_of_new = Fact::Known(None)),
    case(DualWrite, Hop(DualWrite, Shadow), "verified", "found 3 rows", |f| f.verification_of_new = Fact::Known(Some(Verification { epoch: 9, passed: false, mismatches: 3, started_at: 0 }))),
    case(DualWrite, Hop(DualWrite, Shadow), "verified", "is from hop 1", |f| f.verification_of_new = Fact::Known(Some(Verification { epoch: 1, passed: true, mismatches: 0, started_at: 0 }))),
    case(DualWrite, Hop(DualWrite, Shadow), "section_done", "4_switch_reads", |f| steps(f, Section::SwitchReads, 0)),
    case(DualWrite, Hop(DualWrite, Shadow), "quarantine_readable", "1 values", |f| f.quarantine = Fact::Known(Quarantine { waiting: 1, waived: 0, unreadable: 1 })),
    case(DualWrite, Up(Section::SwitchReads), "quarantine_readable", "1 values", |f| f.quarantine = Fact::Known(Quarantine { waiting: 0, waived: 1, unreadable: 1 })),
    case(Shadow, Hop(Shadow, Live), "quarantine_readable", "2 values", |f| f.quarantine = Fact::Known(Quarantine { waiting: 1, waived: 2, unreadable: 2 })),
    case(Shadow, Hop(Shadow, Live), "no_shadow_mismatch", "5 times", |f| f.shadow_mismatches = Fact::Known(5)),
    case(Live, Hop(Live, Live), "dwell", "30 min 0 s of 1 h 0 min", |f| standing(f).entered_at = 100 * HOUR - HOUR / 2),
    case(Live, Hop(Live, RampDown), "everyone_reads_new", "9999 of 10000", |f| standing(f).share = Share::of(9_999, By::Key)),
    case(Live, Hop(Live, RampDown), "nobody_holds_back", "web-1: at most 10 %", |f| first(f).held = Some("at most 10 %".to_owned())),
    case(Live, Hop(Live, RampDown), "everyone_reads_new", "counted by instance", |f| standing(f).share = Share::of(9_999, By::Instance)),
    case(Live, Hop(Live, RampDown), "verified_again", "not verified since", |f| standing(f).entered_at = 61 * HOUR),
    case(Live, Hop(Live, RampDown), "no_shadow_mismatch", "1 times", |f| f.shadow_mismatches = Fact::Known(1)),
    case(RampDown, Hop(RampDown, Complete), "section_done", "5_contract/1_release", |f| steps(f, Section::Release, 0)),
    case(RampDown, Hop(RampDown, Complete), "soak", "10 h 0 min of 1 d 0 h", |f| standing(f).entered_at = 90 * HOUR),
    case(RampDown, Hop(RampDown, Complete), "acknowledged", "web-1", |f| first(f).behind = 1),
    case(Live, Back(Live, DualWrite), "verified", "never been verified", |f| standing(f).old_since = Some(8)),
    case(Live, Back(Live, Off), "way_back", "no way", |_| {}),
    case(DualWrite, Back(DualWrite, Off), "way_back", "first dual write was its point of no return", |f| f.reversible = false),
    case(DualWrite, Back(DualWrite, Off), "section_undone", "4_switch_reads", |_| {}),
    case(Complete, Back(Complete, RampDown), "nobody_final", "web-1 run code that names only new", |_| {}),
    case(Complete, Back(Complete, RampDown), "reversible", "no `down`", |f| { f.reversible = false; first(f).code = Some(CodeState::Transition); }),
    case(Complete, Back(Complete, RampDown), "section_undone", "old is dropped", |f| { steps(f, Section::Drop, 1); first(f).code = Some(CodeState::Transition); }),
    case(Off, Down(Section::Expand), "nobody_knows", "names new", |f| for section in [Section::DualWrite, Section::Release] { steps(f, section, 0) }),
    case(Off, Down(Section::Expand), "sleepers", "may still name new", |f| { for section in [Section::DualWrite, Section::Release] { steps(f, section, 0) } first(f).living = false; first(f).lease_left_ms = -60_000; }),
    case(Off, Down(Section::Expand), "section_undone", "1 steps of 2_dual_write", |f| { steps(f, Section::Release, 0); first(f).code = None; }),
    case(DualWrite, Up(Section::SwitchReads), "verified", "never", |f| f.verification_of_new = Fact::Known(None)),
    case(Live, Down(Section::SwitchReads), "standing", "is at live", |_| {}),
    case(Live, Up(Section::Release), "standing", "is at live", |_| {}),
    case(RampDown, Down(Section::Release), "verified", "old has never", |f| standing(f).old_since = Some(8)),
    case(RampDown, Up(Section::Release), "undo_ended", "1 steps of 5_contract/1_release has begun", |f| half(f, Section::Release)),
    case(RampDown, Up(Section::Drop), "standing", "is at ramp_down", |f| first(f).code = Some(CodeState::Final)),
    case(Complete, Up(Section::Drop), "final_everywhere", "web-1 run code that names old", |f| first(f).code = Some(CodeState::Transition)),
    case(Complete, Up(Section::Drop), "quarantine_settled", "7 values", |f| f.quarantine = Fact::Known(Quarantine { waiting: 7, waived: 2, unreadable: 0 })),
    case(Complete, Up(Section::Drop), "soak", "1 h 0 min of 1 d", |f| { standing(f).entered_at = 99 * HOUR; f.backup_at = Fact::Known(Some(99 * HOUR)); }),
    case(Complete, Up(Section::Drop), "sleepers", "web-1 went silent", |f| { first(f).living = false; first(f).lease_left_ms = -60_000; first(f).code = None; }),
    case(Complete, Up(Section::Drop), "backup", "before this stage", |f| f.backup_at = Fact::Known(Some(49 * HOUR))),
    case(Complete, Up(Section::Keep), "backup", "before the migration was last moved back", |f| if let Fact::Known(record) = &mut f.record { record.taken_back_at = Some(70 * HOUR); }),
    case(Complete, Up(Section::Drop), "approved", "0 of 1 approvals", |f| f.approvals = Fact::Known(vec![])),
    case(Complete, Up(Section::Drop), "approved", "that of bert@bastion does not count", |f| f.approvals = Fact::Known(vec![approval("Bert@laptop")])),
    case(Complete, Up(Section::Drop), "approved", "1 are of other content", |f| f.approvals = Fact::Known(vec![Approval { of_this_content: false, ..approval("anna") }])),
    case(Complete, Up(Section::Drop), "approved", "from before the migration was last moved back", |f| f.approvals = Fact::Known(vec![Approval { since_last_way_back: false, ..approval("anna") }])),
    case(Complete, Up(Section::Keep), "final_everywhere", "web-1 run code that names old", |f| first(f).code = Some(CodeState::Transition)),
    case(Complete, Down(Section::Keep), "section_undone", "old is dropped", |f| steps(f, Section::DropKept, 1)),
    case(Complete, Down(Section::Keep), "nothing_later_begun", "0003_three came after it", |f| f.neighbours = Fact::Known(vec![neighbour(false, DualWrite)])),
    case(Complete, Back(Complete, RampDown), "section_undone", "2_keep are in effect", |f| { steps(f, Section::Keep, 1); first(f).code = Some(CodeState::Transition); }),
    case(Off, Backfill(Side::New), "standing", "is at off", |_| {}),
    case(DualWrite, Backfill(Side::Old), "standing", "is at dual_write", |_| {}),
    case(RampDown, Backfill(Side::Old), "reversible", "no `down`", |f| f.reversible = false),
    case(DualWrite, Verify(Side::New), "drained", "before hop 9", |f| standing(f).drained_epoch = 8),
    case(RampDown, Verify(Side::Old), "backfilled", "3 of 4", |f| { standing(f).old_since = Some(8); f.reverse_backfill = Fact::Known(Progress { not_begun: vec![], done: 3, chunks: 4 }); }),
];

/// Reads still go back at once: old is maintained by the writers' own values.
#[test]
fn the_first_dual_write_of_a_one_way_migration_is_told_and_not_taken_back() {
    let mut facts = healthy(Off);
    assert_eq!(no_return(DualWrite, &facts), None);
    facts.reversible = false;
    let told = no_return(DualWrite, &facts).unwrap_or_default();
    assert!(told.contains("point of no return"), "{told}");
    for stage in [Off, Shadow, Live, RampDown, Complete] {
        assert_eq!(no_return(stage, &facts), None);
    }
    for stage in [Shadow, Live, RampDown] {
        let mut facts = healthy(stage);
        facts.reversible = false;
        let gates = for_back(stage, DualWrite, &facts);
        assert!(all_open(&gates), "{gates:?}");
    }
}

#[test]
fn one_spoilt_thing_shuts_its_gate_and_says_why() {
    for Case {
        at,
        ask,
        gate,
        reason,
        spoil,
    } in CASES
    {
        let mut facts = healthy(at);
        spoil(&mut facts);
        let gates = answer(ask, &facts);
        let shut = shut(&gates);
        let found = shut.get(gate).copied().unwrap_or_default();
        assert!(found.contains(reason), "{ask:?}, {gate}: {shut:?}");
        // A stage that the hop does not start from contradicts more than one gate.
        let alone = gate == "standing" || gate == "way_back" || shut.len() == 1;
        assert!(alone, "{ask:?}, only {gate}: {shut:?}");
        let opens = gates.iter().find(|found| found.name == gate && !found.open);
        assert!(opens.is_some_and(|gate| gate.opens.is_some()), "{ask:?}");
    }
}

#[test]
fn what_is_unknown_shuts_every_gate_that_asks_for_it() {
    type Spoil = fn(&mut Facts, String);
    let unknown = || "connection refused".to_owned();
    let spoil: [(&str, Spoil); 13] = [
        ("neighbours", |f, why| f.neighbours = Fact::Unknown(why)),
        ("record", |f, why| f.record = Fact::Unknown(why)),
        ("standing", |f, why| f.standing = Fact::Unknown(why)),
        ("instances", |f, why| f.instances = Fact::Unknown(why)),
        ("backfill", |f, why| f.backfill = Fact::Unknown(why)),
        ("new", |f, why| f.verification_of_new = Fact::Unknown(why)),
        ("quarantine", |f, why| f.quarantine = Fact::Unknown(why)),
        ("sections", |f, why| f.sections = Fact::Unknown(why)),
        ("mismatches", |f, why| {
            f.shadow_mismatches = Fact::Unknown(why);
        }),
        ("approved", |f, why| f.approvals = Fact::Unknown(why)),
        ("backup", |f, why| f.backup_at = Fact::Unknown(why)),
        ("between", |f, why| f.between = Fact::Unknown(why)),
        ("old", |f, why| {
            standing(f).old_since = Some(8);
            f.verification_of_old = Fact::Unknown(why);
        }),
    ];
    for (what, spoil) in spoil {
        let mut asked = 0;
        for (stage, ask) in ALLOWED {
            let mut facts = healthy(stage);
            spoil(&mut facts, unknown());
            let gates = answer(ask, &facts);
            asked += shut(&gates)
                .values()
                .filter(|reason| reason.contains("connection refused"))
                .count();
        }
        assert!(asked > 0, "{what}: no gate asks for it");
    }
}

#[test]
fn only_the_next_stage_is_one_hop_away() {
    for from in Stage::ALL {
        for to in Stage::ALL {
            let gates = answer(Hop(from, to), &healthy(from));
            let one_hop = gates[0].open;
            let expected = from.next() == Some(to) || (from, to) == (Live, Live);
            assert_eq!(one_hop, expected, "{from} → {to}");
        }
    }
}

#[test]
fn every_forward_hop_waits_for_drained_known_and_acknowledged() {
    for (from, to) in Stage::ALL.into_iter().zip(Stage::ALL.into_iter().skip(1)) {
        let gates = answer(Hop(from, to), &healthy(from));
        for name in ["drained", "known_everywhere", "acknowledged", "not_paused"] {
            assert!(
                gates.iter().any(|gate| gate.name == name),
                "{from} → {to}: {name}"
            );
        }
    }
}

/// `healthy` has 9 hops behind it, the last an hour ago here.
#[test]
fn nobody_waits_for_a_soak_without_a_way_back() {
    let verified = |epoch| {
        Some(Verification {
            epoch,
            passed: true,
            mismatches: 0,
            started_at: 60 * HOUR,
        })
    };
    for (old_since, last, open) in [
        (Some(9), Fact::Known(None), true),
        (Some(9), Fact::Known(verified(8)), true),
        (Some(9), Fact::Known(verified(9)), false),
        (Some(9), Fact::Unknown("no right".to_owned()), false),
        // Back from `complete` once, and over dual_write here again.
        (Some(5), Fact::Known(None), false),
        (Some(0), Fact::Known(None), false),
    ] {
        let mut facts = healthy(RampDown);
        standing(&mut facts).entered_at = 99 * HOUR;
        standing(&mut facts).old_since = old_since;
        facts.verification_of_old = last;
        let gates = answer(Hop(RampDown, Complete), &facts);
        assert_eq!(!shut(&gates).contains_key("soak"), open, "{facts:?}");
    }
}

/// Half of what stood on old is back, and refuses what new accepts: who goes forward again does not wait for that to end.
#[test]
fn nobody_waits_for_a_soak_over_a_release_that_is_taken_back_in_part() {
    let of = |done, half, old_since| {
        let mut facts = healthy(RampDown);
        standing(&mut facts).entered_at = 99 * HOUR;
        standing(&mut facts).old_since = Some(old_since);
        facts.verification_of_old = Fact::Known(Some(Verification {
            epoch: 9,
            passed: true,
            mismatches: 0,
            started_at: 60 * HOUR,
        }));
        if let Fact::Known(sections) = &mut facts.sections {
            let steps = Steps {
                half,
                planned: 3,
                ..whole(done)
            };
            sections.insert(Section::Release, steps);
        }
        !shut(&answer(Hop(RampDown, Complete), &facts)).contains_key("soak")
    };
    assert!(of(3, 1, 9));
    assert!(of(2, 0, 9));
    assert!(!of(3, 0, 9), "nothing is taken back");
    assert!(!of(0, 0, 9), "all is taken back");
    assert!(!of(3, 1, 5), "reads have been on old since");
}

#[test]
fn a_pause_does_not_hold_a_rollback() {
    for (stage, ask) in ALLOWED {
        if let Back(..) | Backfill(Side::Old) = ask {
            let mut facts = healthy(stage);
            standing(&mut facts).paused_at = Some(0);
            assert!(all_open(&answer(ask, &facts)), "{ask:?}");
        }
    }
}

#[test]
fn what_was_rolled_back_waits_for_somebody_and_a_step_by_hand_does_not() {
    let mut facts = healthy(DualWrite);
    assert!(all_open(&for_advance(&facts)));
    facts.record = Fact::Known(Record {
        expanded: true,
        contracted: false,
        rolled_back_at: Some(99 * HOUR),
        rolled_back_to: None,
        kept_until: None,
        kept_since: None,
        taken_back_at: None,
    });
    let gates = for_advance(&facts);
    assert!(!all_open(&gates));
    assert!(gates[0].reason.contains("1 h 0 min ago"), "{gates:?}");
    assert!(all_open(&answer(Hop(DualWrite, Shadow), &facts)));
    facts.record = Fact::Unknown("no right".to_owned());
    assert!(!all_open(&for_advance(&facts)));
}

#[test]
fn what_is_kept_is_dropped_when_the_time_is_over() {
    let mut facts = healthy(Complete);
    facts.backup_at = Fact::Known(Some(80 * HOUR));
    let asked = |facts: &Facts, policy: &Policy| {
        let gates = for_section(Section::DropKept, Direction::Up, facts, policy);
        let shut = shut(&gates).into_iter();
        let owned = shut.map(|(name, reason)| (name, reason.to_owned()));
        owned.collect::<BTreeMap<_, _>>()
    };
    assert!(asked(&facts, &strict()).contains_key("kept"));
    steps(&mut facts, Section::Keep, 1);
    facts.record = Fact::Known(Record {
        expanded: true,
        contracted: true,
        kept_until: Some(105 * HOUR),
        kept_since: Some(75 * HOUR),
        ..Record::default()
    });
    let found = asked(&facts, &strict());
    assert_eq!(found.keys().collect::<Vec<_>>(), [&"kept_long_enough"]);
    assert!(found["kept_long_enough"].contains("5 h 0 min"), "{found:?}");
    let hasty = Policy {
        waivers: vec!["kept_long_enough".to_owned()],
        ..strict()
    };
    assert!(asked(&facts, &hasty).is_empty());
    facts.now = 105 * HOUR;
    assert!(asked(&facts, &strict()).is_empty());
    // A backup of this stage, for what contract has renamed away.
    facts.backup_at = Fact::Known(Some(75 * HOUR));
    assert_eq!(
        asked(&facts, &strict()).keys().collect::<Vec<_>>(),
        [&"backup"]
    );
    facts.backup_at = Fact::Known(Some(80 * HOUR));
    // What has begun to be dropped waits for no time.
    facts.now = 100 * HOUR;
    steps(&mut facts, Section::DropKept, 1);
    assert!(asked(&facts, &strict()).is_empty());
    facts.now = 105 * HOUR;
    steps(&mut facts, Section::DropKept, 0);
    // Taken back by half.
    steps(&mut facts, Section::Keep, 0);
    assert!(asked(&facts, &strict()).contains_key("section_done"));
    facts.record = Fact::Unknown("no right".to_owned());
    assert!(asked(&facts, &strict()).contains_key("kept_long_enough"));
}

#[test]
fn contract_asks_what_code_is_checked_in() {
    let mut facts = healthy(Complete);
    facts.instances = Fact::Known(Vec::new());
    facts.backup_at = Fact::Known(Some(80 * HOUR));
    let gates = |code| for_contract(Section::Drop, &facts, &strict(), code);
    assert!(all_open(&gates(Some(CodeState::Final))));
    for code in [None, Some(CodeState::Transition)] {
        let gates = gates(code);
        assert_eq!(shut(&gates).into_keys().collect::<Vec<_>>(), ["final_code"]);
    }
}

/// What row security says of the new table alone is all that is left then; rights have had their hop. Who is in the midst of it was asked.
#[test]
fn contract_asks_what_row_security_says_before_it_begins() {
    let mut facts = healthy(Complete);
    facts.instances = Fact::Known(Vec::new());
    facts.backup_at = Fact::Known(Some(80 * HOUR));
    let gates = |facts: &Facts, section| for_section(section, Direction::Up, facts, &strict());
    assert!(all_open(&gates(&facts, Section::Drop)));
    facts.between = Fact::Unknown("no right".to_owned());
    for section in [Section::Drop, Section::Keep] {
        let gates = gates(&facts, section);
        let names: Vec<_> = shut(&gates).into_keys().collect();
        assert_eq!(names, ["row_security_on_both_tables"], "{section:?}");
    }
    steps(&mut facts, Section::Drop, 1);
    assert!(all_open(&gates(&facts, Section::Drop)));
}

#[test]
fn a_team_that_says_how_many_instances_it_runs_waits_for_them() {
    let mut policy = strict();
    policy.instances = 2;
    let facts = healthy(Off);
    let gates = for_hop(Off, DualWrite, &facts, &policy);
    assert_eq!(
        shut(&gates)["enough_instances"],
        "1 registered of at least 2"
    );
    let mut facts = healthy(Complete);
    facts.backup_at = Fact::Known(Some(80 * HOUR));
    let gates = for_section(Section::Drop, Direction::Up, &facts, &policy);
    assert!(shut(&gates).contains_key("enough_instances"));
    policy.instances = 1;
    assert!(all_open(&for_section(
        Section::Drop,
        Direction::Up,
        &facts,
        &policy
    )));
}

#[test]
fn instances_that_are_gone_or_serve_nothing_hold_nobody() {
    let mut facts = healthy(Off);
    first(&mut facts).living = false;
    first(&mut facts).code = None;
    first(&mut facts).behind = 1;
    assert!(all_open(&answer(Hop(Off, DualWrite), &facts)));
    let mut facts = healthy(DualWrite);
    first(&mut facts).code = Some(CodeState::Final);
    first(&mut facts).behind = 1;
    assert!(all_open(&answer(Hop(DualWrite, Shadow), &facts)));
    let mut facts = healthy(Complete);
    first(&mut facts).behind = 1;
    assert!(shut(&answer(Up(Section::Drop), &facts)).contains_key("acknowledged"));
}

#[test]
fn an_optional_field_reads_null_while_its_row_waits_in_quarantine() {
    let mut facts = healthy(Shadow);
    facts.quarantine = Fact::Known(Quarantine {
        waiting: 3,
        waived: 0,
        unreadable: 0,
    });
    assert!(all_open(&answer(Hop(Shadow, Live), &facts)));
}

#[test]
fn expand_and_contract_alone_have_one_hop() {
    let mut facts = healthy(Off);
    facts.route = Route::ExpandContract;
    assert!(all_open(&answer(Hop(Off, Complete), &facts)));
    assert!(!all_open(&answer(Hop(Off, DualWrite), &facts)));
    let mut facts = healthy(Complete);
    facts.route = Route::ExpandContract;
    assert!(all_open(&answer(Back(Complete, Off), &facts)));
    assert!(!all_open(&answer(Back(Complete, RampDown), &facts)));
    let mut reopened = healthy(Off);
    reopened.route = Route::ExpandContract;
    standing(&mut reopened).old_since = Some(8);
    assert!(all_open(&answer(Down(Section::Release), &reopened)));
}

#[test]
fn names_change_where_old_code_is_kept_out_and_final_code_is_not_let_in() {
    let at = |stage| {
        let mut facts = healthy(stage);
        facts.route = Route::Rename;
        facts.verification_of_new = Fact::Known(None);
        facts
    };
    let names = |ask, facts: &Facts| shut(&answer(ask, facts)).into_keys().collect::<Vec<_>>();
    assert!(all_open(&answer(Hop(Off, RampDown), &at(Off))));
    assert_eq!(names(Hop(Off, DualWrite), &at(Off)), ["one_hop"]);
    assert_eq!(names(Hop(Off, Complete), &at(Off)), ["one_hop"]);
    let mut facts = at(Off);
    first(&mut facts).code = None;
    assert_eq!(names(Hop(Off, RampDown), &facts), ["known_everywhere"]);

    assert_eq!(names(Up(Section::Release), &at(Off)), ["standing"]);
    assert!(all_open(&answer(Up(Section::Release), &at(RampDown))));
    let mut facts = at(RampDown);
    (first(&mut facts).living, first(&mut facts).lease_left_ms) = (false, -1_000);
    assert_eq!(names(Up(Section::Release), &facts), ["sleepers"]);
    let mut facts = at(RampDown);
    assert!(all_open(&answer(Hop(RampDown, Complete), &facts)));
    steps(&mut facts, Section::Release, 0);
    assert_eq!(names(Hop(RampDown, Complete), &facts), ["section_done"]);

    let mut facts = at(Complete);
    assert_eq!(names(Back(Complete, Off), &facts), ["way_back"]);
    assert_eq!(names(Back(Complete, RampDown), &facts), ["nobody_final"]);
    first(&mut facts).code = Some(CodeState::Transition);
    assert!(all_open(&answer(Back(Complete, RampDown), &facts)));
    assert_eq!(names(Up(Section::Drop), &facts), ["final_everywhere"]);
    let mut facts = at(RampDown);
    assert!(all_open(&answer(Down(Section::Release), &facts)));
    assert_eq!(names(Back(RampDown, Off), &facts), ["section_undone"]);
    steps(&mut facts, Section::Release, 0);
    assert!(all_open(&answer(Back(RampDown, Off), &facts)));
    assert_eq!(names(Back(RampDown, DualWrite), &facts), ["way_back"]);
}

#[test]
fn caution_can_be_waived_and_safety_cannot() {
    let mut facts = healthy(Complete);
    standing(&mut facts).entered_at = 77 * HOUR;
    facts.backup_at = Fact::Known(Some(80 * HOUR));
    standing(&mut facts).drained_epoch = 8;
    let mut policy = strict();
    policy.waivers = vec!["soak".to_owned(), "drained".to_owned()];
    let gates = for_section(Section::Drop, Direction::Up, &facts, &policy);
    assert_eq!(shut(&gates).into_keys().collect::<Vec<_>>(), ["drained"]);
    let soak = gates.iter().find(|gate| gate.name == "soak").unwrap();
    assert!(soak.open && soak.reason.starts_with("waived"), "{soak:?}");
}

#[test]
fn a_person_approves_once_and_nobody_waives_it() {
    let mut facts = healthy(Complete);
    let mut policy = strict();
    policy.approvals = 2;
    policy.waivers = vec!["approved".to_owned()];
    let found = |facts: &Facts, policy: &Policy| {
        let gates = for_section(Section::Drop, Direction::Up, facts, policy);
        let gate = gates.into_iter().find(|gate| gate.name == "approved");
        gate.map(|gate| (gate.open, gate.reason)).unwrap()
    };
    let twice = Approval {
        database_role: Some("other".to_owned()),
        ..approval("anna@bastion")
    };
    facts.approvals = Fact::Known(vec![approval("anna@laptop"), twice.clone()]);
    let (open, reason) = found(&facts, &policy);
    assert!(
        !open && reason.starts_with("1 of 2 approvals, by anna"),
        "{reason}"
    );
    facts.approvals = Fact::Known(vec![
        approval("anna@laptop"),
        twice,
        approval("carl@laptop"),
    ]);
    let (open, reason) = found(&facts, &policy);
    assert!(
        open && reason.contains("carl@laptop (role shop_ddl)"),
        "{reason}"
    );
    policy.approvals = 0;
    facts.approvals = Fact::Unknown("the log was changed".to_owned());
    assert!(found(&facts, &policy).0);
}

#[test]
fn the_time_is_ended_early_by_who_has_agreed_since_contract() {
    let mut facts = healthy(Complete);
    facts.backup_at = Fact::Known(Some(80 * HOUR));
    steps(&mut facts, Section::Keep, 1);
    let kept_since = |since: i64| {
        Fact::Known(Record {
            expanded: true,
            contracted: true,
            kept_until: Some(200 * HOUR),
            kept_since: Some(since * HOUR),
            ..Record::default()
        })
    };
    // The approval is from hour 60: after a contract at 55, before one at 65.
    facts.record = kept_since(55);
    assert!(all_open(&for_early_drop(&facts, &strict())));
    facts.record = kept_since(65);
    let gates = for_early_drop(&facts, &strict());
    let found = shut(&gates);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&"approved"]);
    assert!(
        found["approved"].contains("1 from before contract"),
        "{found:?}"
    );
    // Nothing else is ended with it, and a backup from before contract is none of what only the kept columns hold.
    facts.backup_at = Fact::Known(Some(65 * HOUR));
    let gates = for_early_drop(&facts, &strict());
    assert!(shut(&gates)["backup"].contains("from before contract"));
    facts.backup_at = Fact::Known(None);
    assert!(shut(&for_early_drop(&facts, &strict())).contains_key("backup"));
    facts.record = Fact::Unknown("no right".to_owned());
    assert!(shut(&for_early_drop(&facts, &strict())).contains_key("kept_long_enough"));
}
