//! What the user's own statements lock, as far as their first words tell (PostgreSQL's manual, "Explicit Locking").
//!
//! What is not recognised counts as what blocks writers, so that it runs under `lock_timeout`.

use crate::dialect::StatementFacts;
use crate::statements::{Statement, Token};

/// From the weakest.
const LOCKS: [&str; 7] = [
    "none",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "unknown",
    "ACCESS EXCLUSIVE",
];

/// The table that is locked strongest, and how.
pub(super) fn of(
    statements: &[Statement<'_>],
    transactional: bool,
    dialect: &str,
) -> (String, StatementFacts) {
    let strongest = statements
        .iter()
        .map(|statement| one(&statement.tokens()))
        .max_by_key(|(lock, _)| rank(lock));
    let (lock, table) = strongest.unwrap_or(("unknown", String::new()));
    let sqlite = dialect == "sqlite";
    let facts = StatementFacts {
        lock: if sqlite { "write lock" } else { lock }.to_owned(),
        blocks_writers: sqlite || rank(lock) >= rank("SHARE"),
        // What is not known to be quick is not called so.
        scans: !["none", "SHARE ROW EXCLUSIVE"].contains(&lock),
        rewrites: false,
        transactional,
        builds_index: false,
        manual: String::new(),
        template: None,
    };
    (table, facts)
}

fn rank(lock: &str) -> usize {
    LOCKS
        .iter()
        .position(|known| *known == lock)
        .unwrap_or(LOCKS.len())
}

fn one(tokens: &[Token<'_>]) -> (&'static str, String) {
    let words: Vec<String> = tokens
        .iter()
        .take(8)
        .map(|token| token.text.to_lowercase())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let replaces = words.get(1) == Some(&"or");
    let words = match words.as_slice() {
        ["create", "or", "replace", rest @ ..] => [&["create"], rest].concat(),
        words => words.to_vec(),
    };
    let behind = |word: &str| {
        let at = tokens.iter().position(|token| token.is(word));
        at.map_or_else(String::new, |at| table(&tokens[at + 1..]))
    };
    match words.as_slice() {
        ["create", "index", "concurrently", ..]
        | ["create", "unique", "index", "concurrently", ..] => {
            ("SHARE UPDATE EXCLUSIVE", behind("on"))
        }
        ["create", "index", ..] | ["create", "unique", "index", ..] => ("SHARE", behind("on")),
        ["create", "trigger", ..] | ["create", "constraint", "trigger", ..] => {
            ("SHARE ROW EXCLUSIVE", behind("on"))
        }
        ["create" | "drop" | "alter", "policy", ..] | ["drop" | "alter", "trigger", ..] => {
            ("ACCESS EXCLUSIVE", behind("on"))
        }
        ["create", "rule", ..] => ("ACCESS EXCLUSIVE", behind("to")),
        ["drop", "rule", ..] => ("ACCESS EXCLUSIVE", behind("on")),
        ["alter" | "drop", "table", ..] => ("ACCESS EXCLUSIVE", behind("table")),
        ["insert", ..] => ("ROW EXCLUSIVE", behind("into")),
        ["update", ..] => ("ROW EXCLUSIVE", behind("update")),
        ["delete", ..] => ("ROW EXCLUSIVE", behind("from")),
        ["create", "view" | "materialized", ..] if !replaces => ("none", String::new()),
        // Whoever reads a view waits as well.
        ["create" | "drop" | "alter", "view" | "materialized", ..] => {
            ("ACCESS EXCLUSIVE", behind("view"))
        }
        [
            "create" | "drop" | "alter",
            "function" | "procedure" | "aggregate" | "type" | "domain" | "sequence" | "extension"
            | "schema",
            ..,
        ]
        | ["create", "table", ..]
        | ["comment" | "grant" | "revoke" | "refresh", ..] => ("none", String::new()),
        _ => ("unknown", String::new()),
    }
}

/// The table's name without its schema.
fn table(tokens: &[Token<'_>]) -> String {
    let mut names = tokens.iter().skip_while(|token| {
        ["only", "if", "not", "exists"]
            .iter()
            .any(|word| token.is(word))
    });
    let mut name = names.next();
    while names.next().is_some_and(|token| token.text == ".") {
        name = names.next();
    }
    name.map_or_else(String::new, |token| match token.text.strip_prefix('"') {
        Some(quoted) => quoted.trim_end_matches('"').replace("\"\"", "\""),
        None => token.text.to_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::statements;

    #[test]
    fn the_strongest_lock_of_the_file_is_named() {
        for (sql, lock, table, blocks) in [
            (
                "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "none",
                "",
                false,
            ),
            (
                "DROP VIEW IF EXISTS public.v",
                "ACCESS EXCLUSIVE",
                "v",
                true,
            ),
            (
                "CREATE VIEW v AS SELECT 1; CREATE TRIGGER a BEFORE UPDATE OF b ON public.\"Users\" EXECUTE FUNCTION f()",
                "SHARE ROW EXCLUSIVE",
                "Users",
                true,
            ),
            (
                "ALTER TABLE IF EXISTS ONLY users ENABLE TRIGGER a",
                "ACCESS EXCLUSIVE",
                "users",
                true,
            ),
            (
                "CREATE INDEX CONCURRENTLY i ON users (a)",
                "SHARE UPDATE EXCLUSIVE",
                "users",
                false,
            ),
            ("UPDATE users SET a = 1", "ROW EXCLUSIVE", "users", false),
            ("SELECT pg_sleep(1)", "unknown", "", true),
        ] {
            let (found, facts) = of(&statements(sql), true, "postgres");
            assert_eq!(
                (facts.lock.as_str(), found.as_str(), facts.blocks_writers),
                (lock, table, blocks),
                "{sql}"
            );
        }
    }
}
