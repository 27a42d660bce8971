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
/// Named in the place of kinds.
const EVERYTHING: &str = "everything";

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
        if named.contains(&EVERYTHING) && !side.lost.is_empty() {
            return;
        }
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
                "  And so it does with {more}. Of old values that the column never holds, `valid_if` with `on_invalid` says so; of new ones \
                 that no code writes, {word}(\"{EVERYTHING}\") does."
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair {
        table: "users",
        old: &[],
        new: &[],
        up: &[],
        down: &[],
        consistent: "",
        unconvertible: super::super::Unconvertible::Nothing,
        up_loses: Loses::NOTHING,
        down_loses: Loses::NOTHING,
    };

    fn lost(kinds: &[&'static str]) -> Findings {
        let lost = kinds.iter().map(|kind| (*kind, vec!["1 → 2".to_owned()]));
        Findings {
            up: Side {
                tried: ["words", "zero"]
                    .into_iter()
                    .chain(kinds.iter().copied())
                    .collect(),
                lost: lost.collect(),
            },
            ..Findings::default()
        }
    }

    fn named(kinds: &'static [&'static str]) -> Pair {
        Pair {
            up_loses: Loses::Kinds(kinds),
            ..PAIR
        }
    }

    #[test]
    fn what_is_lost_is_what_is_named() {
        assert_eq!(failure(&PAIR, &lost(&[])), None);
        assert_eq!(failure(&named(&["zero"]), &lost(&["zero"])), None);
        let unnamed = failure(&named(&["zero"]), &lost(&["zero", "spaces"])).unwrap();
        assert!(unnamed.contains("`up` loses \"spaces\""), "{unnamed}");
        assert!(
            unnamed.contains("up_loses(\"zero\", \"spaces\")"),
            "{unnamed}"
        );
        let stale = failure(&named(&["zero"]), &lost(&[])).unwrap();
        assert!(stale.contains("but every one comes back"), "{stale}");
        let unknown = failure(&named(&["zeal"]), &lost(&[])).unwrap();
        assert!(unknown.contains("tried were: words, zero"), "{unknown}");
    }

    #[test]
    fn everything_stands_for_all_kinds_as_long_as_something_is_lost() {
        assert_eq!(failure(&named(&["everything"]), &lost(&["zero"])), None);
        assert!(failure(&named(&["everything"]), &lost(&[])).is_some());
    }

    #[test]
    fn what_is_built_in_is_known() {
        let pair = Pair {
            up_loses: Loses::BuiltIn("how it is written"),
            ..PAIR
        };
        assert_eq!(failure(&pair, &lost(&["zero"])), None);
    }
}
