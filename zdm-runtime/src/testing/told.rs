//! What a test that fails says: what was found, what is safe, what to do.
//!
//! Comes in: findings, what the version says that it loses. Goes out: text, or nothing.
//! Must not know: any database.

use std::fmt::Write as _;

use super::directions::{Findings, Side};
use super::pair::{Loses, Pair};

/// So many values are shown of each kind, and so many problems.
const SHOWN: usize = 3;
/// Of more kinds only the names are shown.
const MOST_KINDS: usize = 6;

/// `None` where all is as the version says.
pub(super) fn failure(pair: &Pair, findings: &Findings) -> Option<String> {
    let mut found = String::new();
    for problem in findings.problems.iter().take(SHOWN) {
        let _ = writeln!(found, "- {problem}");
    }
    let more = findings.problems.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(found, "- and {more} more like these");
    }
    let up = Way {
        word: "up_loses",
        there: "up",
        back: "down",
    };
    let down = Way {
        word: "down_loses",
        there: "down",
        back: "up",
    };
    up.compare(&mut found, &findings.up, pair.up_loses);
    down.compare(&mut found, &findings.down, pair.down_loses);
    (!found.is_empty()).then(|| {
        format!(
            "{}\n\n{found}\nThe test ran in a database of its own; nothing else was touched.",
            pair.name()
        )
    })
}

struct Way {
    word: &'static str,
    there: &'static str,
    back: &'static str,
}

impl Way {
    fn compare(&self, found: &mut String, side: &Side, loses: Loses) {
        let Loses::Kinds(named) = loses else {
            return;
        };
        let Self { word, there, .. } = self;
        let unnamed = side.lost.iter().filter(|(kind, _)| !named.contains(kind));
        let mut kinds = Vec::new();
        for (kind, values) in unnamed {
            kinds.push(format!("\"{kind}\""));
            if kinds.len() > MOST_KINDS {
                continue;
            }
            let count = values.len();
            let _ = writeln!(
                found,
                "- `{there}` loses \"{kind}\" ({count} of the values that were tried), and the struct does not say so:"
            );
            for value in values.iter().take(SHOWN) {
                let _ = writeln!(found, "    {value}");
            }
        }
        self.advise(found, named, &kinds);
        for kind in named.iter().filter(|kind| !side.lost.contains_key(*kind)) {
            let why = if side.tried.contains(kind) {
                "but every one comes back".to_owned()
            } else {
                let tried: Vec<_> = side.tried.iter().copied().collect();
                format!("of which none was tried; tried were: {}", tried.join(", "))
            };
            let _ = writeln!(
                found,
                "- `{word}` names \"{kind}\", {why}. Take it off the list and run `cargo zdm generate`."
            );
        }
    }

    fn advise(&self, found: &mut String, named: &[&str], kinds: &[String]) {
        let Self { word, there, back } = self;
        if kinds.is_empty() {
            return;
        }
        if kinds.len() > MOST_KINDS {
            let more = kinds[MOST_KINDS..].join(", ");
            let _ = writeln!(
                found,
                "  And so it does with {more}. Where the column never holds such values, say so: by `valid_if` with `on_invalid`, as far \
                 as they are old ones."
            );
        }
        let named = named.iter().map(|kind| format!("\"{kind}\""));
        let all: Vec<_> = named.chain(kinds.iter().cloned()).collect();
        let _ = writeln!(
            found,
            "  If that is not meant, mend `{there}` or `{back}` before the version is merged. If it is, name it beside them, \
             {word}({}), and run `cargo zdm generate`: whoever reviews the struct then reads it.",
            all.join(", ")
        );
    }
}
