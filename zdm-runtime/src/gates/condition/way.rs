//! Which stage may follow which, where a migration has to stand, and whether the last hop is behind everybody.

use super::super::Gate;
use super::super::finding::{known, names, open, shut, standing as on_standing};
use super::patience::span;
use crate::Stage;
use crate::facts::Facts;
use crate::manifest::Route;

/// A move between two stages.
#[derive(Debug, Clone, Copy)]
pub(in crate::gates) struct Hop {
    pub(in crate::gates) from: Stage,
    pub(in crate::gates) to: Stage,
}

/// Live writers span at most two adjacent stages (2).
pub(in crate::gates) fn one_hop(hop: Hop, facts: &Facts) -> Gate {
    const NAME: &str = "one_hop";
    let next = match facts.route {
        Route::FivePhases => hop.from.next(),
        Route::ExpandContract => (hop.from == Stage::Off).then_some(Stage::Complete),
        Route::Rename => match hop.from {
            Stage::Off => Some(Stage::RampDown),
            Stage::RampDown => Some(Stage::Complete),
            _ => None,
        },
        Route::Direct => None,
    };
    let same = facts.route == Route::FivePhases && hop.from == Stage::Live && hop.to == Stage::Live;
    match next {
        _ if same => open(NAME, "another share of readers of new"),
        Some(next) if next == hop.to => open(NAME, format!("{} follows {}", hop.to, hop.from)),
        Some(next) => shut(
            NAME,
            format!("from {} the only stage forward is {next}", hop.from),
            format!("go to {next} first"),
        ),
        None => shut(
            NAME,
            format!("there is no stage after {} for this migration", hop.from),
            "nothing: it is as far as its stages go",
        ),
    }
}

/// Why nothing leads back below `dual_write` where a pair has no `down`.
pub const PAST_RETURN: &str = "the migration is one-way (`one_way`: nothing computes old from new), and the first dual write \
                               was its point of no return";

/// What to be told before a hop forward: that it cannot be taken back. Reads still can, until `complete`.
pub fn no_return(to: Stage, facts: &Facts) -> Option<&'static str> {
    let passes = facts.route == Route::FivePhases && !facts.reversible && to == Stage::DualWrite;
    passes.then_some(
        "point of no return: the migration is one-way (`one_way`), and from its first dual write on nothing leads back to \
         writing old alone; until `complete`, reads can still go back to old at once",
    )
}

/// Only these ways lead back (3, 5, 7).
pub(in crate::gates) fn way_back(hop: Hop, facts: &Facts) -> Gate {
    use Stage::{Complete, DualWrite, Live, Off, RampDown, Shadow};
    const NAME: &str = "way_back";
    let possible = match facts.route {
        Route::Direct => false,
        Route::ExpandContract => (hop.from, hop.to) == (Complete, Off),
        Route::Rename => matches!((hop.from, hop.to), (Complete, RampDown) | (RampDown, Off)),
        Route::FivePhases => match hop.from {
            Off => false,
            DualWrite => hop.to == Off && facts.reversible,
            Complete => hop.to == RampDown,
            Live if hop.to == Live => true,
            Shadow | Live | RampDown => (DualWrite..hop.from).contains(&hop.to),
        },
    };
    if possible {
        open(NAME, format!("{} can go back to {}", hop.from, hop.to))
    } else if facts.route == Route::FivePhases && (hop.from, hop.to) == (DualWrite, Off) {
        shut(
            NAME,
            PAST_RETURN,
            "nothing: reads take old at dual_write and both sides stay written, so stay here until the cause is mended, \
             then go forward",
        )
    } else {
        shut(
            NAME,
            format!("no way leads back from {} to {}", hop.from, hop.to),
            match hop.from {
                Off => "undo expand instead",
                Complete if facts.route.has_final_code() => "go to ramp_down first",
                _ if facts.route == Route::Rename => {
                    "nothing: from ramp_down the way back leads to off"
                }
                _ if hop.to == Off => "go to dual_write first",
                _ => "nothing: choose a stage before the present one",
            },
        )
    }
}

pub(in crate::gates) fn standing(allowed: &[Stage], facts: &Facts) -> Gate {
    const NAME: &str = "standing";
    on_standing(NAME, facts, |standing| at(NAME, allowed, standing.stage))
}

/// For routes that may have no stage at all.
pub(in crate::gates) fn standing_if_any(allowed: &[Stage], facts: &Facts) -> Gate {
    const NAME: &str = "standing";
    known(NAME, &facts.standing, |standing| match standing {
        None => open(NAME, "the migration has no stage"),
        Some(standing) => at(NAME, allowed, standing.stage),
    })
}

fn at(name: &'static str, allowed: &[Stage], stage: Stage) -> Gate {
    let reason = format!("the migration is at {stage}");
    if allowed.contains(&stage) {
        open(name, reason)
    } else {
        let allowed = names(allowed.iter().map(|stage| stage.name()));
        shut(name, reason, format!("at {allowed}"))
    }
}

pub(in crate::gates) fn not_paused(facts: &Facts) -> Gate {
    const NAME: &str = "not_paused";
    known(NAME, &facts.standing, |standing| {
        match standing.and_then(|standing| standing.paused_at) {
            None => open(NAME, "the migration is not paused"),
            Some(since) => shut(
                NAME,
                format!(
                    "the migration has been paused for {}",
                    span(facts.now - since)
                ),
                "`cargo zdm resume`",
            ),
        }
    })
}

/// What somebody took back, no schedule takes forward again.
pub(in crate::gates) fn not_rolled_back(facts: &Facts) -> Gate {
    const NAME: &str = "not_rolled_back";
    known(NAME, &facts.record, |record| match record.rolled_back_at {
        None => open(NAME, "the last move was no way back"),
        Some(since) => shut(
            NAME,
            format!(
                "the migration was rolled back {} ago, so it does not go forward by itself",
                span(facts.now - since)
            ),
            "`cargo zdm resume` when the cause is mended, or the next step by hand",
        ),
    })
}

/// No transaction from before the last hop is left (2, 4).
pub(in crate::gates) fn drained(facts: &Facts) -> Gate {
    const NAME: &str = "drained";
    known(NAME, &facts.standing, |standing| match standing {
        None => open(
            NAME,
            "the migration has no stage that a transaction could remember",
        ),
        Some(standing) if standing.drained_epoch >= standing.epoch => {
            open(NAME, "no transaction from before the last hop is left")
        }
        Some(standing) => shut(
            NAME,
            format!(
                "transactions from before hop {} may still be open (waited for up to hop {})",
                standing.epoch, standing.drained_epoch
            ),
            "run the command for the present stage again: it goes on waiting for them",
        ),
    })
}
