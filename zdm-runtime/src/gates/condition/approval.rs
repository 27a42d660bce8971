//! Whether people other than the one at the keyboard have agreed.

use std::collections::BTreeMap;

use super::super::finding::{known, names, open, shut};
use super::super::{Gate, Policy};
use crate::audit::{Approval, person};
use crate::facts::Facts;

/// A person counts once, whatever role or host the approval came from, and never for what the same person executes.
pub(in crate::gates) fn approved(facts: &Facts, policy: &Policy) -> Gate {
    approved_since(i64::MIN, facts, policy)
}

/// The same of those who said so since then: who has agreed before has agreed to the time for which old is kept.
pub(in crate::gates) fn approved_since(since: i64, facts: &Facts, policy: &Policy) -> Gate {
    const NAME: &str = "approved";
    let counts = |approval: &&Approval| approval.counts() && approval.recorded_at >= since;
    if policy.approvals == 0 {
        return open(NAME, "not asked for by policy");
    }
    known(NAME, &facts.approvals, |approvals| {
        let mut people = BTreeMap::new();
        for approval in approvals.iter().filter(counts) {
            people.insert(person(&approval.actor), described(approval));
        }
        let own = people.remove(&person(&policy.actor)).is_some();
        let by = names(people.values().map(String::as_str));
        if people.len() >= policy.approvals as usize {
            return open(NAME, format!("approved by {by}"));
        }
        let mut reason = format!("{} of {} approvals", people.len(), policy.approvals);
        if !people.is_empty() {
            reason = format!("{reason}, by {by}");
        }
        if own {
            let actor = &policy.actor;
            reason = format!("{reason}; that of {actor} does not count, who would drop it");
        }
        let void = approvals.iter().filter(|approval| !approval.counts());
        match void.count() {
            0 => {}
            void => {
                reason = format!(
                    "{reason}; {void} are of other content, or from before the migration was last moved back"
                );
            }
        }
        let earlier = approvals.iter().filter(|approval| approval.counts());
        match earlier.filter(|approval| !counts(approval)).count() {
            0 => {}
            earlier => {
                reason = format!(
                    "{reason}; {earlier} from before contract, which agreed to the time for which old is kept"
                );
            }
        }
        shut(
            NAME,
            reason,
            format!(
                "`cargo zdm approve {}` by somebody other than {}",
                facts.migration, policy.actor
            ),
        )
    })
}

fn described(approval: &Approval) -> String {
    match &approval.database_role {
        Some(role) => format!("{} (role {role})", approval.actor),
        None => approval.actor.clone(),
    }
}
