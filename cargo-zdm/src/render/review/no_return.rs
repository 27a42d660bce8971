//! From where on nothing leads back.
//!
//! Comes in: the manifest. Goes out: Markdown.
//! Must not know: the other parts of the page.

use std::fmt::Write as _;

use zdm_runtime::manifest::{Manifest, Route};

use super::kept;

/// The point, and what is lost beyond it.
pub(super) fn section(page: &mut String, manifest: &Manifest) {
    let losing: Vec<_> = manifest
        .steps
        .iter()
        // A function that goes with its column holds no data, and needs no lock.
        .filter(|step| step.section == manifest.drops_by() && step.lock != "none")
        .filter_map(|step| step.loses.as_deref())
        .collect();
    let kept = manifest.keep.is_some();
    let point = match manifest.route {
        Route::Direct => {
            "There is none while nobody relies on what was added: `down.sql` takes it back."
        }
        Route::ExpandContract if kept => {
            "`5_contract/3_drop`. Until then `cargo zdm rollback` leads back, and old code can be deployed again."
        }
        Route::FivePhases if kept && manifest.reversible => {
            "`5_contract/3_drop`. Until then `cargo zdm rollback` leads back: first to `complete`, from there by way of a reverse backfill."
        }
        Route::ExpandContract => "`5_contract/2_drop`. Until then old code can be deployed again.",
        Route::Rename => {
            "`5_contract/2_drop`. Until then `cargo zdm rollback` leads back: there is one column, and nothing that could differ."
        }
        Route::FivePhases if manifest.reversible => {
            "`5_contract/2_drop`. Until then `cargo zdm rollback` leads back, from `complete` by way of a reverse backfill."
        }
        Route::FivePhases if kept => {
            "The first dual write: `one_way` declares no `down`, so from `dual_write` on nothing leads back to writing old alone, \
             and nothing fills old again after `complete`. Until `complete` old is kept by the writers' own values, and \
             `cargo zdm rollback` takes all reads back to it at once, to `dual_write`, but no further. Contract by itself can be taken \
             back until `5_contract/3_drop`, to `complete`: old has its name again then, and the values that writes left in it."
        }
        Route::FivePhases => {
            "The first dual write: `one_way` declares no `down`, so from `dual_write` on nothing leads back to writing old alone, \
             and nothing fills old again after `complete`. Until `complete` old is kept by the writers' own values, and \
             `cargo zdm rollback` takes all reads back to it at once, to `dual_write`, but no further."
        }
    };
    let _ = writeln!(page, "## Point of no return\n\n{point}\n");
    for loss in losing {
        let _ = writeln!(page, "- {loss}");
    }
    if manifest
        .steps
        .iter()
        .any(|step| step.section == manifest.drops_by() && step.loses.is_some())
    {
        page.push('\n');
    }
    if let Some(keep) = &manifest.keep {
        kept::section(page, keep);
    }
}
