//! What is told of a place that names a column by hand: what it does, why that is wrong, and what stands for the column.
//!
//! Comes in: a reference and what it names. Goes out: [`Named`].
//! Must not know: how either was found.

use std::fmt::Write as _;

use camino::Utf8Path;

use super::{Instead, Named, Options, Sought, Why};
use crate::references::{Access, Certainty, Reference};

/// The generated code, as it is called.
pub(super) struct Code<'a> {
    pub(super) options: &'a Options,
}

impl Code<'_> {
    pub(super) fn named(&self, sought: &Sought, found: Reference) -> Named {
        let name = sought.target.name();
        let root = &self.options.root;
        let file = found
            .file
            .strip_prefix(root)
            .map_or(&*found.file, Utf8Path::new);
        Named {
            file: file.to_string(),
            line: found.line,
            at: found.at,
            message: message(sought, &name, &found),
            next: self.next(sought, &name, &found),
            name,
            access: found.access,
            certainty: found.certainty,
            every: found.every,
            aside: found.aside,
            allowed: found.excused,
            version: sought.version.as_ref().map(|(_, folder)| folder.clone()),
            text: found.text,
        }
    }

    /// What to change.
    fn next(&self, sought: &Sought, name: &str, found: &Reference) -> Option<String> {
        let mut next = match sought.why {
            Why::Asked => return None,
            Why::Old | Why::New | Why::Shared => self.by_fragments(sought, found),
            Why::Gone if found.every => {
                "name the columns that are meant, without this one".to_owned()
            }
            Why::Gone => match &sought.instead[..] {
                [] => "take it out: nothing comes in its place".to_owned(),
                instead => format!("name {} instead", listed(instead)),
            },
        };
        let otherwise = match found.certainty {
            Certainty::Certain => return Some(next),
            Certainty::Perhaps => "where another column is meant, qualify it with its table, or",
            Certainty::Unread => "where it is not meant,",
        };
        let _ = write!(
            next,
            "; {otherwise} say so in a comment on the line or above it: `zdm: allow {name}`"
        );
        Some(next)
    }

    fn by_fragments(&self, sought: &Sought, found: &Reference) -> String {
        let file = |table: &str| {
            let module = crate::render::rust::module_of(table);
            self.options.code.join(module).with_extension("rs")
        };
        let code: Vec<_> = sought
            .instead
            .iter()
            .filter_map(|new| new.code.as_ref())
            .collect();
        let Some((table, _)) = code.first() else {
            return match &sought.instead[..] {
                [] => "take it out: nothing comes in its place".to_owned(),
                instead => format!("name {} instead", listed(instead)),
            };
        };
        let call = |of: &dyn Fn(&str) -> String| {
            let calls: Vec<_> = code.iter().map(|(_, field)| of(field)).collect();
            calls.join(", ")
        };
        let instead = match (found.access, found.every) {
            (Access::Writes, true) => {
                "call the repository's `insert` or `insert_many`".to_owned()
            }
            (_, true) => {
                "select `fragments::SELECT_LIST` and call `read_all`, or call the repository's `get` or `list`".to_owned()
            }
            (Access::Writes, false) => format!(
                "assign {} with `fragments::guard(…)`, or call the repository's functions that write",
                call(&|field| format!("`fragments::set_{field}(flags, …)`"))
            ),
            (Access::Reads | Access::Names, false) => format!(
                "put {} in its place, select `fragments::SELECT_LIST`, or call the repository",
                call(&|field| format!("`fragments::{field}(flags)`"))
            ),
        };
        format!("{instead} ({})", file(table))
    }
}

/// What a place does.
fn message(sought: &Sought, name: &str, found: &Reference) -> String {
    let table = &sought.target.table;
    let does = match (found.certainty, found.access, found.every) {
        (Certainty::Unread, ..) => {
            format!("could not be read as SQL, and holds the words of {name}")
        }
        (Certainty::Perhaps, Access::Reads, false) => format!("perhaps reads {name}"),
        (Certainty::Perhaps, Access::Writes, false) => format!("perhaps writes {name}"),
        (Certainty::Perhaps, Access::Names, _) => format!("perhaps names {name}"),
        (_, Access::Writes, true) => {
            format!("writes every column of {table} without naming them, {name} too")
        }
        (_, _, true) => format!("reads every column of {table} without naming them, {name} too"),
        (Certainty::Certain, Access::Reads, false) => format!("reads {name}"),
        (Certainty::Certain, Access::Writes, false) => format!("writes {name}"),
        (Certainty::Certain, Access::Names, false) => format!("names {name}"),
    };
    let Some((_, folder)) = &sought.version else {
        return does;
    };
    let why = match sought.why {
        Why::Old => "replaces: it is stale from `complete` on, and goes with contract",
        Why::New => {
            "fills: it is stale until the backfill has ended, and old code reads another one"
        }
        Why::Shared => {
            "replaces by another of that name: which of the two it is depends on the stage"
        }
        Why::Gone => "takes away: it fails from contract on",
        Why::Asked => return does,
    };
    format!("{does}, which {folder} {why}")
}

fn listed(instead: &[Instead]) -> String {
    let names: Vec<&str> = instead.iter().map(|new| new.name.as_str()).collect();
    names.join(", ")
}
