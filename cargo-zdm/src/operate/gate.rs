//! Gates as a command meets them: all open, or a failure that shows each with what opens it.
//!
//! Comes in: the runtime's gates. Goes out: [`ShownGate`]s, or the failure with exit code 4.
//! Must not know: what a gate asks.

use std::fmt::Write as _;

use zdm_runtime::gates::{self, Gate, WAIVABLE};

use crate::config::{self, FILE};
use crate::error::{Failure, ShownGate};

/// `[policy]` as the gates read it, for whoever acts.
pub(crate) fn policy(policy: &config::Policy, actor: &str) -> Result<gates::Policy, Failure> {
    if let Some(other) = policy
        .waive
        .iter()
        .find(|name| !WAIVABLE.contains(&name.as_str()))
    {
        return Err(Failure::usage(
            format!(
                "{FILE}, [policy] waive: `{other}` guards data or is no gate, so it cannot be waived"
            ),
            format!("waive only: {}", WAIVABLE.join(", ")),
        ));
    }
    Ok(gates::Policy {
        soak: policy.soak,
        dwell: policy.ramp_dwell,
        verify_again: true,
        backup: policy.backup_hook.is_some(),
        approvals: policy.approvals,
        actor: actor.to_owned(),
        sleepers: policy.sleepers,
        instances: policy.instances,
        waivers: policy.waive.clone(),
    })
}

/// Passes where every gate is open, except those in `opened_by_this`, which the command opens itself.
pub(crate) fn pass(what: &str, gates: &[Gate], opened_by_this: &[&str]) -> Result<(), Failure> {
    let shut = |gate: &&Gate| !gate.open && !opened_by_this.contains(&gate.name);
    if !gates.iter().any(|gate| shut(&gate)) {
        return Ok(());
    }
    let shown = gates
        .iter()
        .filter(|gate| gate.open || shut(gate))
        .map(show)
        .collect();
    Err(refusal(what).with_gates(shown))
}

/// A shut gate's failure, before the gates are put in.
pub(crate) fn refusal(what: &str) -> Failure {
    Failure::gate(
        format!("{what} has to wait"),
        "open the gate, then run the same command again; `cargo zdm status` shows all of them",
    )
    .safe("nothing was changed by this step, and the application goes on as before")
}

/// Somebody else has moved the migration since this command looked where it stands.
pub(crate) fn overtaken(what: &str) -> Failure {
    Failure::gate(
        format!("{what} has to wait: another command has moved the migration meanwhile"),
        "`cargo zdm status` shows where it stands now; then decide again",
    )
    .safe("nothing was changed by this command")
}

/// Names of the shut ones.
pub(crate) fn shut(gates: &[Gate]) -> Vec<&'static str> {
    gates
        .iter()
        .filter(|gate| !gate.open)
        .map(|gate| gate.name)
        .collect()
}

/// As they are printed.
pub(crate) fn show_all<'a>(gates: impl IntoIterator<Item = &'a Gate>) -> Vec<ShownGate> {
    gates.into_iter().map(show).collect()
}

fn show(gate: &Gate) -> ShownGate {
    ShownGate {
        gate: gate.name.to_owned(),
        open: gate.open,
        reason: gate.reason.clone(),
        opens_when: gate.opens.clone(),
    }
}

/// One line per gate, for `status` and dry runs.
pub(crate) fn lines<'a>(gates: impl IntoIterator<Item = &'a ShownGate>) -> String {
    let mut lines = String::new();
    for gate in gates {
        let sign = if gate.open { "open" } else { "shut" };
        let _ = write!(lines, "    {sign}  {}: {}", gate.gate, gate.reason);
        if let Some(opens) = &gate.opens_when {
            let _ = write!(lines, " — opens: {opens}");
        }
        lines.push('\n');
    }
    lines
}
