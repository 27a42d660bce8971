//! What a version's own steps drop or, of policies, change before something of the generated SQL goes.

use crate::manifest::Direction;
use crate::migration::Migration;
use crate::phase::Section;

/// In the summary of a step of the user's own that comes after what is generated: `run your own SQL drop/after_view`.
const AFTER: &str = "/after_";

/// `(kind, name)` in lower case: what is dropped in the sections from one, which is still to be executed, to another, and in that by
/// anything but such a step.
pub(super) fn before_what_goes(
    migration: &Migration,
    from: Section,
    until: Section,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let sections = Section::ALL.into_iter();
    for section in sections.filter(|section| (from..=until).contains(section)) {
        let comes_before = |summary: &str| section < until || !summary.contains(AFTER);
        for step in migration.manifest().steps_of(section, Direction::Up) {
            if comes_before(&step.summary) {
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
        if lower.starts_with("alter table") {
            for names in lower.split("drop constraint").skip(1) {
                let read = read_names(without_conditions(names)).into_iter();
                found.extend(read.take(1).map(|name| ("constraint".to_owned(), name)));
            }
            continue;
        }
        if let Some(changed) = lower.strip_prefix("alter policy ") {
            let (name, _) = read_name(changed.trim_start());
            found.push(("policy".to_owned(), name));
            continue;
        }
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
            "publication",
            "index",
            "statistics",
        ];
        for kind in kinds {
            let Some(names) = rest.trim_start().strip_prefix(kind) else {
                continue;
            };
            let read = read_names(without_conditions(names)).into_iter();
            found.extend(read.map(|name| (kind.to_owned(), name)));
            break;
        }
    }
    found
}

/// What stands between a kind and its names.
fn without_conditions(names: &str) -> &str {
    let names = names.trim_start();
    let names = names.strip_prefix("concurrently").unwrap_or(names);
    let names = names.trim_start();
    names.strip_prefix("if exists").unwrap_or(names)
}

/// The names of a list, without their schemas and the types of their arguments: `public.shown, "Other one", f(int)`.
fn read_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = list.trim_start();
    loop {
        let (mut name, mut behind) = read_name(rest);
        while let Some(next) = behind.strip_prefix('.') {
            (name, behind) = read_name(next);
        }
        if name.is_empty() {
            return names;
        }
        names.push(name);
        let behind = behind.trim_start();
        let arguments = behind
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'));
        let behind = arguments.map_or(behind, |(_, behind)| behind.trim_start());
        match behind.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return names,
        }
    }
}

/// One name, and what stands behind it.
fn read_name(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let is_over = |c: char| !c.is_alphanumeric() && c != '_' && c != '$';
        let (name, behind) = text.split_at(text.find(is_over).unwrap_or(text.len()));
        return (name.to_owned(), behind);
    };
    let mut name = String::new();
    let mut rest = quoted;
    while let Some((head, behind)) = rest.split_once('"') {
        name.push_str(head);
        match behind.strip_prefix('"') {
            Some(next) => {
                name.push('"');
                rest = next;
            }
            None => return (name, behind),
        }
    }
    (name, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_drops_is_seen() {
        let found = dropped(
            "-- DROP VIEW not_this;\nDROP VIEW IF EXISTS public.shown, \"Other\" CASCADE;\ndrop trigger touch on users;
            DROP FUNCTION f(int, text), g();DROP VIEW \"A.b\".\"Up, \"\"x\"\" on\";DROP MATERIALIZED VIEW counts; CREATE VIEW b AS SELECT 1;
            DROP INDEX CONCURRENTLY IF EXISTS by_hand;ALTER TABLE users DROP CONSTRAINT IF EXISTS one, DROP CONSTRAINT \"Two\" CASCADE;
            Alter policy \"Own rows\" ON users USING (id = 1)",
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
                "view up, \"x\" on",
                "materialized view counts",
                "index by_hand",
                "constraint one",
                "constraint two",
                "policy own rows"
            ]
        );
    }
}
