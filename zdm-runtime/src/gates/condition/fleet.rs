//! What living instances know and have seen.

use super::super::Gate;
use super::super::finding::{known, names, open, shut};
use crate::Stage;
use crate::code::CodeState;
use crate::facts::{Fact, Facts};
use crate::fleet::Member;
use crate::manifest::Route;

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
        "within seconds, or when their leases end",
    )
}

/// No living instance can name old (8).
pub(in crate::gates) fn final_everywhere(facts: &Facts) -> Gate {
    const NAME: &str = "final_everywhere";
    match facts.route {
        Route::FivePhases => on_living(
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
                format!("holds for all {} living instances", living().count()),
            )
        } else {
            let labels = names(wrong.map(|member| member.label.as_str()));
            shut(name, format!("{labels} {complaint}"), opens)
        }
    })
}
