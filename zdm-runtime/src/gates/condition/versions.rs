//! What other versions say: a name that is not free yet, a later version that stands on this one.

use super::super::Gate;
use super::super::finding::{names, open, shut};
use crate::manifest::{Manifest, shared};

/// What a later version has built on the same tables would go with them, and stay on record.
pub(in crate::gates) fn nothing_stands_on_it(version: &Manifest, later: &[&Manifest]) -> Gate {
    const NAME: &str = "nothing_stands_on_it";
    // The last one first: that is the order in which they are taken back.
    for later in later.iter().rev() {
        let tables: Vec<&str> = later.tables.iter().map(String::as_str).collect();
        if later
            .tables
            .iter()
            .any(|table| version.tables.contains(table))
        {
            return shut(
                NAME,
                format!(
                    "{} is in this database and stands on {}",
                    later.folder(),
                    names(tables.into_iter())
                ),
                format!("`cargo zdm rollback {}` first", later.name),
            );
        }
    }
    open(NAME, "no later version stands on its tables")
}

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
