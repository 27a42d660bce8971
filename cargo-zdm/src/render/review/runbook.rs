//! What to run, in its order, and what every step waits for.
//!
//! Comes in: the manifest. Goes out: Markdown.
//! Must not know: the other parts of the page, what a project's `[policy]` asks for.

use std::fmt::Write as _;

use zdm_runtime::manifest::{Manifest, Route};

/// The commands, and the gates where there are stages.
pub(super) fn section(page: &mut String, manifest: &Manifest) {
    let name = &manifest.name;
    let _ = writeln!(page, "## Runbook\n");
    let _ = writeln!(page, "```sh\n{}\n```\n", first(manifest));
    if manifest.route == Route::Rename {
        let _ = writeln!(
            page,
            "When it stands at `complete` in every environment:\n\n```sh\ncargo zdm finalize {name}   # the second pull request\n\
             # deploy it\ncargo zdm advance           # contract, after the soak time\n```\n\n\
             Something is wrong:\n\n```sh\ncargo zdm rollback {name}   # the old names come back; deploy the code from before `finalize` first\n\
             cargo zdm resume {name}     # when the cause is mended: until then `advance` leaves it there\n```"
        );
    }
    if manifest.route != Route::FivePhases {
        return;
    }
    if !manifest.reversible {
        page.push_str(
            "Entering `dual_write` is the point of no return: `cargo zdm advance --dry-run` says when it comes next.\n\n",
        );
    }
    let _ = writeln!(
        page,
        "When it stands at `complete` in every environment:\n\n```sh\ncargo zdm finalize {name}   # the second pull request\n\
         # deploy it\n{}\n```\n\n\
         Something is wrong:\n\n```sh\ncargo zdm rollback {name}   # reads go back to old at once, both sides stay written\n{}\
         cargo zdm resume {name}     # when the cause is mended: until then `advance` leaves it there\n```\n\n\
         <details><summary>By hand, the same steps</summary>\n\n```sh\ncargo zdm expand {name}\ncargo zdm switch {name} --to dual_write\n\
         cargo zdm backfill {name}\ncargo zdm verify {name}\ncargo zdm switch {name} --to shadow\n\
         cargo zdm switch {name} --to 1%\ncargo zdm switch {name} --to 100%\n\
         cargo zdm verify {name}            # again, now that everybody reads new\ncargo zdm switch {name} --to ramp_down\n\
         cargo zdm switch {name} --to complete\ncargo zdm finalize {name}          # the second pull request; deploy it\n\
         cargo zdm contract {name}\n{}```\n\n</details>",
        last(manifest),
        brought_back(manifest),
        dropped_by_hand(manifest),
    );
    page.push_str(GATES);
    if let Some(keep) = &manifest.keep {
        let _ = writeln!(
            page,
            "| `5_contract/3_drop` | {} have passed since contract; a backup confirmed |",
            keep.window()
        );
    }
    page.push_str("\n</details>\n");
}

/// Up to `complete`, or to the end where that is near.
fn first(manifest: &Manifest) -> String {
    let steps: &[&str] = match manifest.route {
        Route::Direct => &[
            "cargo zdm advance --before-deploy   # expand",
            "# deploy the new code",
        ],
        Route::ExpandContract => &[
            "cargo zdm advance --before-deploy   # expand",
            "# deploy the new code",
            "cargo zdm advance                   # contract, once no old code is left",
        ],
        Route::Rename => &[
            "cargo zdm advance --before-deploy   # expand",
            "# deploy the new code",
            "cargo zdm advance                   # the new names, once no old code is left, to `complete`",
        ],
        Route::FivePhases => &[
            "cargo zdm advance --before-deploy   # expand",
            "# deploy the new code",
            "cargo zdm advance --watch           # dual write, backfill, verify, switch reads, to `complete`",
        ],
    };
    let mut steps = steps.join("\n");
    if let (Route::ExpandContract, Some(keep)) = (manifest.route, &manifest.keep) {
        let (name, window) = (&manifest.name, keep.window());
        let _ = write!(
            steps,
            "; old is kept for {window}\n\
             cargo zdm contract {name}   # {window} later: what was kept is dropped (`5_contract/3_drop`); `advance` does it too\n\n\
             # something is wrong after contract, within {window}\n\
             cargo zdm rollback {name}   # old gets its name back, at `complete`"
        );
    }
    steps
}

/// After `finalize`. To watch would last as long as old is kept.
fn last(manifest: &Manifest) -> String {
    match &manifest.keep {
        None => "cargo zdm advance --watch       # contract, after the soak time".to_owned(),
        Some(keep) => {
            let (name, window) = (&manifest.name, keep.window());
            format!(
                "cargo zdm contract {name}   # after the soak time; old is kept for {window}\n\
                 cargo zdm contract {name}   # {window} later: what was kept is dropped (`5_contract/3_drop`); `advance` does it too"
            )
        }
    }
}

fn brought_back(manifest: &Manifest) -> String {
    let Some(keep) = &manifest.keep else {
        return String::new();
    };
    let further = if manifest.leads_back() {
        "another one, with `--to ramp_down`, leads further"
    } else {
        "nothing leads further (`one_way`)"
    };
    format!(
        "cargo zdm rollback {}   # after contract, within {}: old gets its name back, at `complete`; {further}\n",
        manifest.name,
        keep.window()
    )
}

fn dropped_by_hand(manifest: &Manifest) -> String {
    match &manifest.keep {
        None => String::new(),
        Some(keep) => format!(
            "cargo zdm contract {}          # once more, {} later\n",
            manifest.name,
            keep.window()
        ),
    }
}

const GATES: &str = "
<details><summary>Gates: every step waits for its own; <code>cargo zdm status</code> shows what is shut and what opens it</summary>\n
| step | needs |
|---|---|
| `dual_write` | expand done; every instance runs code that knows the migration |
| backfill | `dual_write`; every transaction from before it is over |
| constraints on new | every row compared while both sides were written; quarantined rows only where the field is optional |
| `shadow` | the backfill done, all rows consistent, constraints in place |
| `live` 1 % … 100 % | no mismatch seen; quarantined rows only where the field is optional |
| `ramp_down` | all reads on new, for the time that every share takes; compared again |
| `complete` | the soak time is over; old accepts rows that do not name it |
| contract | the soak time is over; neither an instance, a transaction nor the checked-in code names old; quarantine empty or waived; a backup confirmed |
";
