//! What only time or caution asks for.

use std::time::Duration;

use super::super::finding::{known, names, open, shut, standing as on_standing};
use super::super::{Gate, Policy, Side};
use super::data::word;
use crate::Stage;
use crate::code::CodeState;
use crate::facts::{Fact, Facts};
use crate::phase::Section;

pub(in crate::gates) fn dwelt(facts: &Facts, policy: &Policy) -> Gate {
    waited("dwell", "this share of readers", policy.dwell, facts)
}

pub(in crate::gates) fn soaked(facts: &Facts, policy: &Policy) -> Gate {
    const NAME: &str = "soak";
    if let Some(why) = came_back_in_vain(facts) {
        return open(
            NAME,
            format!(
                "it lasted long enough before complete; reads have been on new ever since, and {why}"
            ),
        );
    }
    waited(NAME, "this stage", policy.soak, facts)
}

/// The last hop led back from `complete`, and old is not filled and verified: to wait would keep no way back open. Or what was
/// released is taken back in part, and refuses meanwhile what new accepts.
fn came_back_in_vain(facts: &Facts) -> Option<&'static str> {
    let (Fact::Known(Some(standing)), Fact::Known(verified), Fact::Known(sections)) =
        (&facts.standing, &facts.verification_of_old, &facts.sections)
    else {
        return None;
    };
    let since = standing.old_since.filter(|since| *since == standing.epoch);
    let since = since.filter(|_| standing.stage == Stage::RampDown)?;
    if !verified.is_some_and(|last| last.passed && last.epoch >= since) {
        return Some("old cannot be read");
    }
    let release = sections.get(&Section::Release)?;
    let in_part = release.to_undo() > 0 && release.done - release.half < release.planned;
    in_part.then_some("what stood on old is put back in part")
}

fn waited(name: &'static str, what: &str, demanded: Duration, facts: &Facts) -> Gate {
    let demanded = milliseconds(demanded);
    on_standing(name, facts, |standing| {
        let passed = facts.now - standing.entered_at;
        let reason = format!("{what} has lasted {} of {}", span(passed), span(demanded));
        if passed >= demanded {
            open(name, reason)
        } else {
            shut(name, reason, format!("in {}", span(demanded - passed)))
        }
    })
}

/// An instance whose lease has ended may only be asleep, and would name the side that goes when it wakes (5, 8).
pub(in crate::gates) fn sleepers_gone(side: Side, facts: &Facts, policy: &Policy) -> Gate {
    const NAME: &str = "sleepers";
    let patience = milliseconds(policy.sleepers);
    let names_it = |code: Option<CodeState>| match side {
        Side::Old => code != Some(CodeState::Final),
        Side::New => code.is_some(),
    };
    let word = word(side);
    known(NAME, &facts.instances, |members| {
        let asleep: Vec<_> = members
            .iter()
            .filter(|member| !member.living && -member.lease_left_ms < patience)
            .filter(|member| names_it(member.code))
            .collect();
        let left = asleep
            .iter()
            .map(|member| patience + member.lease_left_ms)
            .max();
        match left {
            None => open(
                NAME,
                format!("no instance went silent lately that could still name {word}"),
            ),
            Some(left) => shut(
                NAME,
                format!(
                    "{} went silent and may still name {word}",
                    names(asleep.iter().map(|member| member.label.as_str()))
                ),
                format!("in {}", span(left)),
            ),
        }
    })
}

/// Of what goes now: younger than what was last done to old, not merely of this stage.
pub(in crate::gates) fn backed_up(facts: &Facts, policy: &Policy) -> Gate {
    const NAME: &str = "backup";
    if !policy.backup {
        return open(NAME, "not asked for by policy");
    }
    on_standing(NAME, facts, |standing| {
        known(NAME, &facts.record, |record| {
            known(NAME, &facts.backup_at, |at| {
                let since = |moment: Option<i64>| moment.is_none_or(|moment| *at > Some(moment));
                let found = if at.is_none() {
                    "no backup is on record"
                } else if *at < Some(standing.entered_at) {
                    "the last backup is from before this stage"
                } else if !since(record.kept_since) {
                    "the last backup is from before contract, which renamed old away"
                } else if !since(record.taken_back_at) {
                    "the last backup is from before the migration was last moved back"
                } else {
                    return open(NAME, "a backup was made at this stage");
                };
                shut(NAME, found, "make a backup")
            })
        })
    })
}

/// What is dropped has been kept: a stage alone does not tell, since nothing moves it.
pub(in crate::gates) fn kept(facts: &Facts) -> Gate {
    const NAME: &str = "kept";
    known(NAME, &facts.record, |record| match record.kept_until {
        Some(_) => open(NAME, "old has been kept under another name"),
        None => shut(NAME, "nothing is kept", "`cargo zdm contract`"),
    })
}

/// The team has its way back for as long as it asked for.
pub(in crate::gates) fn kept_long_enough(facts: &Facts) -> Gate {
    const NAME: &str = "kept_long_enough";
    known(NAME, &facts.record, |record| {
        let Some(until) = record.kept_until else {
            return open(NAME, "nothing is kept");
        };
        let left = until - facts.now;
        if left <= 0 {
            open(NAME, "the time is over for which old is kept")
        } else if is_dropped_in_part(facts) {
            open(NAME, "the drop of what was kept has begun")
        } else {
            shut(
                NAME,
                format!("old is kept for another {}", span(left)),
                format!(
                    "in {}; `cargo zdm contract {} --now` does not wait for it, and nothing brings old back then",
                    span(left),
                    facts.migration
                ),
            )
        }
    })
}

fn is_dropped_in_part(facts: &Facts) -> bool {
    let Fact::Known(sections) = &facts.sections else {
        return false;
    };
    let dropped = sections.get(&Section::DropKept);
    dropped.is_some_and(|steps| steps.to_undo() > 0)
}

/// Somebody ends that time before it is over.
pub(in crate::gates) fn ended_early(facts: &Facts) -> Gate {
    let gate = kept_long_enough(facts);
    if gate.open {
        return gate;
    }
    known(gate.name, &facts.record, |_| {
        open(
            gate.name,
            format!("{}, and that is ended now (`--now`)", gate.reason),
        )
    })
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds as a person says them, in the two largest units.
pub(super) fn span(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}
