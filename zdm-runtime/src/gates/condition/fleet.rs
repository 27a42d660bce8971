//! What living instances know and have seen.

use super::super::finding::{known, names, open, shut};
use super::super::{Gate, Policy};
use crate::Stage;
use crate::code::CodeState;
use crate::facts::{Fact, Facts};
use crate::fleet::Member;
use crate::manifest::Route;

/// As many living instances as the team runs at least: where fewer are registered, some are not seen (22).
pub(in crate::gates) fn enough_instances(facts: &Facts, policy: &Policy) -> Gate {
    const NAME: &str = "enough_instances";
    known(NAME, &facts.instances, |members| {
        let living = members.iter().filter(|member| member.living).count();
        if policy.instances == 0 {
            return open(
                NAME,
                format!("{living} registered; zdm.toml does not say how many run"),
            );
        }
        let wanted = usize::try_from(policy.instances).unwrap_or(usize::MAX);
        let reason = format!("{living} registered of at least {wanted}");
        if living >= wanted {
            open(NAME, reason)
        } else {
            shut(
                NAME,
                reason,
                "start the others with `Zdm::connect`, or correct `instances` under [policy] in zdm.toml",
            )
        }
    })
}

/// Every living instance knows the migration, so that it can follow its stages (2).
pub(in crate::gates) fn known_everywhere(facts: &Facts) -> Gate {
    const NAME: &str = "known_everywhere";
    on_living(
        NAME,
        facts,
        |member| member.code.is_some(),
        "run code from before the migration",
        "deploy the new code everywhere",
    )
}

/// Every living instance acts on the present epoch, so that nobody has an older one cached (5, 6). One whose code is final
/// serves nothing before `complete`, so there is nothing it could have cached.
pub(in crate::gates) fn acknowledged(facts: &Facts) -> Gate {
    const NAME: &str = "acknowledged";
    let complete =
        matches!(&facts.standing, Fact::Known(Some(standing)) if standing.stage == Stage::Complete);
    let idle = |member: &Member| member.code == Some(CodeState::Final) && !complete;
    on_living(
        NAME,
        facts,
        |member| member.behind == 0 || idle(member),
        "have not acknowledged the last hop yet",
        "within seconds, or when their leases end; an instance whose code this database is not ready for acknowledges nothing: \
         stop it",
    )
}

/// In no living instance readers take old longer than the share says: what a full share has shown is not true of them.
pub(in crate::gates) fn nobody_holds_back(facts: &Facts) -> Gate {
    const NAME: &str = "nobody_holds_back";
    known(NAME, &facts.instances, |members| {
        let living = members.iter().filter(|member| member.living);
        let held: Vec<_> = living
            .filter_map(|member| Some(format!("{}: {}", member.label, member.held.as_deref()?)))
            .collect();
        if held.is_empty() {
            open(NAME, "no instance holds its readers back")
        } else {
            shut(
                NAME,
                format!("readers are held back in {}", held.join("; ")),
                "take the limit out of the source that sets it; instances follow within seconds",
            )
        }
    })
}

/// No living instance can name old (8).
pub(in crate::gates) fn final_everywhere(facts: &Facts) -> Gate {
    const NAME: &str = "final_everywhere";
    match facts.route {
        Route::Rename | Route::FivePhases => on_living(
            NAME,
            facts,
            |member| member.code == Some(CodeState::Final),
            "run code that names old",
            "`cargo zdm finalize`, then deploy",
        ),
        Route::ExpandContract | Route::Direct => on_living(
            NAME,
            facts,
            |member| member.code.is_some(),
            "run code that names old",
            "deploy the new code everywhere",
        ),
    }
}

/// The checked-in code names old no more (8). Instances tell only of themselves; one that never registered runs this code.
pub(in crate::gates) fn final_code(code: Option<CodeState>) -> Gate {
    const NAME: &str = "final_code";
    let finalize = "`cargo zdm finalize`, then deploy with the versions' folder";
    match code {
        Some(CodeState::Final) => open(NAME, "the checked-in code names only new"),
        Some(CodeState::Transition) => shut(
            NAME,
            "the checked-in code is in transition (code.toml): it names old",
            finalize,
        ),
        None => shut(
            NAME,
            "code.toml does not say whether the checked-in code names old",
            finalize,
        ),
    }
}

/// No living instance has given old up: it could not maintain it again (7).
pub(in crate::gates) fn nobody_final(facts: &Facts) -> Gate {
    const NAME: &str = "nobody_final";
    on_living(
        NAME,
        facts,
        |member| member.code != Some(CodeState::Final),
        "run code that names only new",
        "deploy the code from before `cargo zdm finalize`",
    )
}

/// No living instance can name new (5).
pub(in crate::gates) fn nobody_knows(facts: &Facts) -> Gate {
    const NAME: &str = "nobody_knows";
    on_living(
        NAME,
        facts,
        |member| member.code.is_none(),
        "run code that names new",
        "deploy the code from before the migration",
    )
}

fn on_living(
    name: &'static str,
    facts: &Facts,
    holds: impl Fn(&Member) -> bool,
    complaint: &str,
    opens: &str,
) -> Gate {
    known(name, &facts.instances, |members| {
        let living = || members.iter().filter(|member| member.living);
        let mut wrong = living().filter(|member| !holds(member)).peekable();
        if wrong.peek().is_none() {
            open(
                name,
                match living().count() {
                    0 => {
                        "no living instance is registered; code without `Zdm::connect` is not seen"
                            .to_owned()
                    }
                    1 => "holds for the only living instance".to_owned(),
                    many => format!("holds for all {many} living instances"),
                },
            )
        } else {
            let labels = names(wrong.map(|member| member.label.as_str()));
            shut(name, format!("{labels} {complaint}"), opens)
        }
    })
}
