//! Whether every row has its side, and whether somebody looked.

use super::super::finding::{known, names, open, shut, standing as on_standing};
use super::super::{Gate, Policy, Side};
use crate::bucket;
use crate::facts::{Fact, Facts, Standing};
use crate::room::Beyond;
use crate::{By, Share, Stage};

/// The cursor's end, chunk by chunk, never "0 rows" (11).
pub(in crate::gates) fn backfilled(side: Side, facts: &Facts) -> Gate {
    const NAME: &str = "backfilled";
    let (fact, command) = match side {
        Side::New => (&facts.backfill, "`cargo zdm backfill`"),
        Side::Old if never_left_old(facts) => {
            return open(NAME, "old has been maintained from the beginning");
        }
        Side::Old => (
            &facts.reverse_backfill,
            "`cargo zdm rollback`, which fills old from new",
        ),
    };
    known(NAME, fact, |progress| {
        if !progress.not_begun.is_empty() {
            let tables = names(progress.not_begun.iter().map(String::as_str));
            shut(
                NAME,
                format!("the backfill of {tables} has not begun"),
                command,
            )
        } else if progress.done < progress.chunks {
            let (done, chunks) = (progress.done, progress.chunks);
            shut(NAME, format!("{done} of {chunks} chunks are done"), command)
        } else {
            open(NAME, format!("all {} chunks are done", progress.chunks))
        }
    })
}

/// Every live writer updates the side (3).
pub(in crate::gates) fn maintained(side: Side, facts: &Facts) -> Gate {
    const NAME: &str = "maintained";
    on_standing(NAME, facts, |standing| match since(side, standing) {
        Some(hop) => open(
            NAME,
            format!("{} has been maintained since hop {hop}", word(side)),
        ),
        None => shut(
            NAME,
            format!("at {} nobody maintains {}", standing.stage, word(side)),
            "at a stage that writes both sides",
        ),
    })
}

/// A full comparison passed while the side was maintained without a break (3).
pub(in crate::gates) fn verified(side: Side, facts: &Facts) -> Gate {
    const NAME: &str = "verified";
    if side == Side::Old && never_left_old(facts) {
        return open(NAME, "old has been maintained from the beginning");
    }
    let fact = match side {
        Side::New => &facts.verification_of_new,
        Side::Old => &facts.verification_of_old,
    };
    let command = "`cargo zdm verify`";
    let word = word(side);
    on_standing(NAME, facts, |standing| {
        let Some(since) = since(side, standing) else {
            return maintained(side, facts);
        };
        known(NAME, fact, |last| match last {
            None => shut(NAME, format!("{word} has never been verified"), command),
            Some(last) if !last.passed => shut(
                NAME,
                format!(
                    "the last verification of {word} found {} rows that differ",
                    last.mismatches
                ),
                command,
            ),
            Some(last) if last.epoch < since => shut(
                NAME,
                format!(
                    "the verification of {word} is from hop {}, and it was not maintained before hop {since}",
                    last.epoch
                ),
                command,
            ),
            Some(_) => open(
                NAME,
                format!("every row of {word} was compared while it was maintained"),
            ),
        })
    })
}

/// Compared again since everybody reads new: a writer outside the application may have spoilt it meanwhile.
pub(in crate::gates) fn verified_again(facts: &Facts, policy: &Policy) -> Gate {
    const NAME: &str = "verified_again";
    if !policy.verify_again {
        return open(NAME, "not asked for by policy");
    }
    on_standing(NAME, facts, |standing| {
        known(NAME, &facts.verification_of_new, |last| match last {
            Some(last) if last.passed && last.started_at >= standing.entered_at => {
                open(NAME, "verified since everybody reads new")
            }
            _ => shut(
                NAME,
                "not verified since everybody reads new",
                "`cargo zdm verify`",
            ),
        })
    })
}

/// A value in quarantine has no new side: a field that is not optional could not be read, nor its NOT NULL added (21).
pub(in crate::gates) fn quarantine_readable(facts: &Facts) -> Gate {
    const NAME: &str = "quarantine_readable";
    known(NAME, &facts.quarantine, |quarantine| {
        let values = quarantine.waiting + quarantine.waived;
        if values == 0 {
            open(NAME, "the quarantine is empty")
        } else if quarantine.unreadable == 0 {
            open(
                NAME,
                format!("{values} values in quarantine read as NULL, which their fields allow"),
            )
        } else {
            shut(
                NAME,
                format!(
                    "{} values in quarantine have no new side, and their fields are not optional; waiving does not help them",
                    quarantine.unreadable
                ),
                "their values in the old column, mended, then `cargo zdm quarantine fix`",
            )
        }
    })
}

/// What is in quarantine is lost with old (21).
pub(in crate::gates) fn quarantine_settled(facts: &Facts) -> Gate {
    const NAME: &str = "quarantine_settled";
    let complete =
        matches!(&facts.standing, Fact::Known(Some(standing)) if standing.stage == Stage::Complete);
    known(NAME, &facts.quarantine, |quarantine| {
        match quarantine.waiting {
            0 => open(
                NAME,
                format!(
                    "nothing waits in quarantine, {} values are waived",
                    quarantine.waived
                ),
            ),
            waiting => shut(
                NAME,
                format!("{waiting} values in quarantine would be lost with old"),
                if facts.reversible || !complete {
                    "`cargo zdm quarantine waive`; to mend them, `cargo zdm rollback` first, then `quarantine fix`"
                } else {
                    "`cargo zdm quarantine waive`: no way leads back to where they could be mended"
                },
            ),
        }
    })
}

pub(in crate::gates) fn no_shadow_mismatch(facts: &Facts) -> Gate {
    const NAME: &str = "no_shadow_mismatch";
    known(
        NAME,
        &facts.shadow_mismatches,
        |mismatches| match mismatches {
            0 => open(NAME, "no instance saw a row whose sides differ"),
            seen => shut(
                NAME,
                format!(
                    "instances saw {seen} times a row whose sides differ: something writes one side alone"
                ),
                "find the writer, go back to dual_write, backfill and verify again",
            ),
        },
    )
}

/// Old is filled from new on the way back (7): a number that it cannot hold would stop that in the middle.
pub(in crate::gates) fn room_in_old(beyond: &[Beyond], facts: &Facts, name: &str) -> Gate {
    const NAME: &str = "room_in_old";
    if beyond.is_empty() {
        return open(NAME, "old has room for every number that new holds");
    }
    let complete =
        matches!(&facts.standing, Fact::Known(Some(standing)) if standing.stage == Stage::Complete);
    let stay = if complete {
        "nothing has to be done: stay at complete, where nothing reads or writes old".to_owned()
    } else {
        format!(
            "go forward again, where nothing needs old: `cargo zdm switch --to complete {name}`"
        )
    };
    let beyond: Vec<String> = beyond.iter().map(ToString::to_string).collect();
    shut(
        NAME,
        beyond.join("; "),
        format!(
            "{stay}. Or, if nobody needs such numbers, take the rows away and set the sequence back, then roll back"
        ),
    )
}

pub(in crate::gates) fn everyone_reads_new(facts: &Facts) -> Gate {
    const NAME: &str = "everyone_reads_new";
    on_standing(NAME, facts, |standing| {
        let reason = format!(
            "{} of {} basis points read new{}",
            standing.share.basis_points(),
            bucket::ALL,
            match standing.share.by() {
                By::Key => "",
                By::Instance => ", counted by instance",
            }
        );
        if standing.share == Share::ALL {
            open(NAME, reason)
        } else {
            shut(NAME, reason, "`cargo zdm switch --to 100%`")
        }
    })
}

/// Old was never left to itself, so it needs no verification.
fn never_left_old(facts: &Facts) -> bool {
    matches!(&facts.standing, Fact::Known(Some(standing)) if standing.old_since == Some(0))
}

fn since(side: Side, standing: &Standing) -> Option<i64> {
    match side {
        Side::New => standing.new_since,
        Side::Old => standing.old_since,
    }
}

pub(super) const fn word(side: Side) -> &'static str {
    match side {
        Side::New => "new",
        Side::Old => "old",
    }
}
