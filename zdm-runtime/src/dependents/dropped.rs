//! What a version's own steps drop before something of the generated SQL goes.

use crate::manifest::Direction;
use crate::migration::Migration;
use crate::phase::Section;

/// In the summary of a step of the user's own that comes after what is generated: `run your own SQL drop/after_view`.
const AFTER: &str = "/after_";

/// `(kind, name)` in lower case: what is dropped in sections before this one, and in it by anything but such a step.
pub(super) fn before_what_goes(migration: &Migration, until: Section) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for section in Section::ALL {
        let comes_before = |summary: &str| section < until || !summary.contains(AFTER);
        for step in migration.manifest().steps_of(section, Direction::Up) {
            if section <= until && comes_before(&step.summary) {
                found.extend(dropped(migration.sql(step)));
            }
        }
    }
    found
}

fn dropped(sql: &str) -> Vec<(String, String)> {
    let code: String = sql
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = Vec::new();
    for statement in code.split(';') {
        let lower = statement.trim().to_lowercase();
        let Some(rest) = lower.strip_prefix("drop ") else {
            continue;
        };
        let kinds = [
            "materialized view",
            "view",
            "trigger",
            "function",
            "procedure",
            "policy",
            "rule",
        ];
        for kind in kinds {
            let Some(names) = rest.trim_start().strip_prefix(kind) else {
                continue;
            };
            let names = names.trim_start();
            let names = names.strip_prefix("if exists").unwrap_or(names);
            let names = names.split(" on ").next().unwrap_or_default();
            let names = names
                .split(['(', ')'])
                .step_by(2)
                .collect::<Vec<_>>()
                .join(" ");
            for name in names.split(',') {
                let name = name.split_whitespace().next().unwrap_or_default();
                let name = name
                    .rsplit('.')
                    .next()
                    .unwrap_or_default()
                    .trim_matches('"');
                if !name.is_empty() {
                    found.push((kind.to_owned(), name.to_owned()));
                }
            }
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_drops_is_seen() {
        let found = dropped(
            "-- DROP VIEW not_this;\nDROP VIEW IF EXISTS public.shown, \"Other\" CASCADE;\ndrop trigger touch on users;
            DROP FUNCTION f(int, text), g();DROP MATERIALIZED VIEW counts; CREATE VIEW b AS SELECT 1",
        );
        let shown: Vec<_> = found
            .iter()
            .map(|(kind, name)| format!("{kind} {name}"))
            .collect();
        assert_eq!(
            shown,
            [
                "view shown",
                "view other",
                "trigger touch",
                "function f",
                "function g",
                "materialized view counts"
            ]
        );
    }
}
