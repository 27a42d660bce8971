//! Texts by their words alone: whether they look like SQL, and where a name stands in them.
//!
//! Comes in: text. Goes out: answers.
//! Must not know: what a statement means.

use crate::statements::{Token, next};

/// Where a word stands in a text in lower case, with nothing of a name on either side.
pub(super) fn word_in(lower: &str, word: &str) -> Option<usize> {
    let of_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut from = 0;
    while let Some(found) = lower.get(from..)?.find(word) {
        let (start, end) = (from + found, from + found + word.len());
        let before = lower[..start].chars().next_back();
        let behind = lower[end..].chars().next();
        if !before.is_some_and(of_name) && !behind.is_some_and(of_name) {
            return Some(start);
        }
        from = end;
    }
    None
}

/// Whether a text begins as a statement does, and goes on as one: `update` alone is a word of English, too.
pub(super) fn looks_like_sql(text: &str) -> bool {
    let tokens = tokens(text);
    let mut tokens = tokens.iter().skip_while(|token| token.text == "(");
    let Some(first) = tokens.next() else {
        return false;
    };
    let second = tokens.clone().next();
    let behind =
        |words: &[&str]| second.is_some_and(|token| words.iter().any(|word| token.is(word)));
    let has = |word: &str| tokens.clone().any(|token| token.is(word));
    match &*first.text.to_ascii_lowercase() {
        "select" => has("from"),
        "insert" => behind(&["into", "or"]),
        "replace" => behind(&["into"]),
        "update" => has("set"),
        "delete" => behind(&["from"]),
        "merge" => has("using"),
        "with" => has("as") && has("("),
        "explain" => has("select") || has("update") || has("insert") || has("delete"),
        "table" => tokens.count() == 1,
        "copy" => has("from") || has("to"),
        "declare" => has("cursor"),
        "create" | "alter" | "drop" | "truncate" | "lock" | "comment" => {
            const KINDS: [&str; 9] = [
                "table",
                "index",
                "view",
                "trigger",
                "policy",
                "function",
                "materialized",
                "on",
                "unique",
            ];
            KINDS.iter().any(|kind| has(kind))
        }
        _ => false,
    }
}

/// Whether a text may be a part of a condition or a list.
pub(super) fn looks_like_part(text: &str) -> bool {
    const SIGNS: [&str; 13] = [
        "=", "<", ">", ",", "is", "like", "ilike", "in", "asc", "desc", "between", "where", "by",
    ];
    let tokens = tokens(text);
    let sign = |token: &Token<'_>| SIGNS.iter().any(|sign| token.is(sign));
    tokens.len() > 1 && tokens.iter().any(sign)
}

/// Where a name stands in SQL: as a word or in quotes, but in no literal and no comment.
pub(super) fn name_in(text: &str, name: &str) -> Option<usize> {
    let is_name = |token: &&Token<'_>| {
        let bare = token.text.trim_matches(['"', '`']);
        bare.eq_ignore_ascii_case(name)
    };
    tokens(text).iter().find(is_name).map(|token| token.start)
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(token) = next(text, at) {
        at = token.end();
        tokens.push(token);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_no_sql() {
        for text in [
            "update the name of users",
            "delete users by name",
            "select a name",
            "with a name",
            "",
            "name",
            "drop it",
        ] {
            assert!(!looks_like_sql(text), "{text}");
        }
        for text in [
            "select 1 from users",
            " -- why\n (SELECT name FROM users)",
            "UPDATE users SET name",
            "delete from users",
            "insert or replace into users",
            "WITH x AS (SELECT",
        ] {
            assert!(looks_like_sql(text), "{text}");
        }
    }

    #[test]
    fn a_word_is_no_part_of_another() {
        assert_eq!(word_in("username, name_of, name", "name"), Some(19));
        assert_eq!(word_in("names", "name"), None);
        assert_eq!(
            name_in("WHERE x = 'name' AND \"Name\" = 1", "name"),
            Some(21)
        );
    }
}
