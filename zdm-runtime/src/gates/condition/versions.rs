//! What other versions say: a name that is not free yet.

use super::super::Gate;
use super::super::finding::{open, shut};
use crate::manifest::{Manifest, shared};

/// A name that an earlier version still has to drop would be dropped again, new as it is.
pub(in crate::gates) fn names_free(version: &Manifest, waiting: &[&Manifest]) -> Gate {
    const NAME: &str = "names_free";
    for earlier in waiting {
        let taken = shared(&version.creates, &earlier.drops);
        if !taken.is_empty() {
            let (folder, name) = (earlier.folder(), &earlier.name);
            return shut(
                NAME,
                format!("{folder} still has to drop {}", taken.join(", ")),
                format!(
                    "contract {folder} first: when the code of {folder} runs everywhere, `cargo zdm advance` or \
                     `cargo zdm contract {name}`"
                ),
            );
        }
    }
    open(
        NAME,
        "no earlier version still has to drop a name that it brings",
    )
}
