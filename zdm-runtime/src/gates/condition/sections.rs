//! Which reviewed statements are in effect.

use super::super::Gate;
use super::super::finding::{known, open, shut};
use crate::facts::{Facts, Steps};
use crate::phase::Section;

pub(in crate::gates) fn expanded(facts: &Facts) -> Gate {
    const NAME: &str = "expanded";
    let steps = section_done(Section::Expand, facts);
    known(NAME, &facts.record, |record| {
        if record.expanded && steps.open {
            open(NAME, "new stands beside old")
        } else {
            shut(NAME, "expand is not done", "`cargo zdm expand`")
        }
    })
}

pub(in crate::gates) fn not_contracted(facts: &Facts) -> Gate {
    const NAME: &str = "not_contracted";
    known(NAME, &facts.record, |record| {
        if record.kept_until.is_some() {
            shut(
                NAME,
                "old is kept under another name",
                "`cargo zdm rollback`, which gives it its name back",
            )
        } else if record.contracted {
            shut(
                NAME,
                "old is dropped",
                "nothing: what was dropped cannot come back",
            )
        } else {
            open(NAME, "old is there")
        }
    })
}

pub(in crate::gates) fn section_done(section: Section, facts: &Facts) -> Gate {
    const NAME: &str = "section_done";
    on_steps(
        NAME,
        section,
        facts,
        |Steps {
             done,
             half,
             stuck,
             planned,
             ..
         }| {
            let whole = done - half;
            if stuck > 0 {
                undo_begun(NAME, section, stuck)
            } else if whole >= planned {
                open(
                    NAME,
                    format!("all {planned} steps of {} are in effect", section.folder()),
                )
            } else {
                shut(
                    NAME,
                    format!(
                        "{whole} of {planned} steps of {} are in effect",
                        section.folder()
                    ),
                    format!("execute {}/up.sql", section.folder()),
                )
            }
        },
    )
}

/// Before what is kept is dropped: a way back that has begun to give names back ends first.
pub(in crate::gates) fn kept_whole(facts: &Facts) -> Gate {
    const NAME: &str = "section_done";
    let (section, name) = (Section::Keep, &facts.migration);
    on_steps(NAME, section, facts, |steps| {
        let (whole, planned) = (steps.done - steps.half, steps.planned);
        if whole >= planned {
            return open(
                NAME,
                format!("all {planned} steps of {} are in effect", section.folder()),
            );
        }
        shut(
            NAME,
            format!(
                "a way back from contract has begun and not ended: {whole} of {planned} steps of {} are in effect",
                section.folder()
            ),
            format!(
                "`cargo zdm rollback {name}` ends it; after that, `cargo zdm contract {name}` begins anew"
            ),
        )
    })
}

/// What an undo has put back by half holds already: going forward over it would leave it in force.
pub(in crate::gates) fn undo_ended(section: Section, facts: &Facts) -> Gate {
    const NAME: &str = "undo_ended";
    on_steps(NAME, section, facts, |steps| match steps.stuck {
        0 => open(
            NAME,
            format!("no undo of {} stands in the way", section.folder()),
        ),
        stuck => undo_begun(NAME, section, stuck),
    })
}

fn undo_begun(name: &'static str, section: Section, stuck: i64) -> Gate {
    shut(
        name,
        format!(
            "the undo of {stuck} steps of {} has begun and not ended",
            section.folder()
        ),
        "`cargo zdm rollback`, which ends it",
    )
}

pub(in crate::gates) fn section_undone(section: Section, facts: &Facts) -> Gate {
    const NAME: &str = "section_undone";
    on_steps(NAME, section, facts, |steps| match steps.to_undo() {
        0 => open(
            NAME,
            format!("no step of {} is in effect", section.folder()),
        ),
        _ if matches!(section, Section::Drop | Section::DropKept) => shut(
            NAME,
            "old is dropped",
            "nothing: what was dropped cannot come back",
        ),
        done => shut(
            NAME,
            format!("{done} steps of {} are in effect", section.folder()),
            format!("execute {}/down.sql", section.folder()),
        ),
    })
}

fn on_steps(
    name: &'static str,
    section: Section,
    facts: &Facts,
    judge: impl FnOnce(Steps) -> Gate,
) -> Gate {
    known(name, &facts.sections, |sections| {
        match sections.get(&section) {
            Some(steps) => judge(*steps),
            None => shut(
                name,
                format!("nothing is known of {}", section.folder()),
                "read the facts again",
            ),
        }
    })
}

pub(in crate::gates) fn reversible(facts: &Facts) -> Gate {
    const NAME: &str = "reversible";
    if facts.reversible {
        open(NAME, "every pair has a way back")
    } else {
        shut(
            NAME,
            "the migration declares no `down`, so old cannot be filled from new",
            "nothing: go forward with a new migration instead",
        )
    }
}
