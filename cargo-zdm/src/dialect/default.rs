//! Defaults as people write them and as a database prints them.
//!
//! Comes in: the text of a default, the type of its column. Goes out: the text without what the database adds; whether two
//! texts say the same.
//! Must not know: schemas.

use sqlparser::tokenizer::{Token, Tokenizer};

use super::Dialect;
use super::expression::ExpressionError;

/// PostgreSQL's short names and the long ones that it prints.
const LONG_NAMES: [(&str, &str); 12] = [
    ("varchar", "character varying"),
    ("char", "character"),
    ("bpchar", "character"),
    ("int2", "smallint"),
    ("int", "integer"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("bool", "boolean"),
    ("timestamptz", "timestamp with time zone"),
    ("decimal", "numeric"),
];
const SHORT_TIMES: [(&str, &str); 2] = [
    ("timestamp", "timestamp without time zone"),
    ("time", "time without time zone"),
];
const NUMBERS: [&str; 6] = [
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "double precision",
];

/// A default as somebody would have written it: what the database makes of it is the text again. `None` for NULL, which is no
/// default.
pub(crate) fn as_written(sql_type: &str, text: &str) -> Option<String> {
    let Some((literal, cast)) = text.rsplit_once("::") else {
        return Some(text.to_owned());
    };
    if literal == "NULL" {
        return None;
    }
    let (own, cast) = (long_name(sql_type), long_name(cast));
    if !is_literal(literal) {
        return Some(text.to_owned());
    }
    let inside = &literal[1..literal.len() - 1];
    let written = if NUMBERS.contains(&own.as_str()) && is_printed_so(inside, &cast) {
        inside
    } else if own == cast {
        literal
    } else {
        text
    };
    Some(written.to_owned())
}

/// PostgreSQL prints a negative number as a text with the type that the number has by its size.
fn is_printed_so(number: &str, cast: &str) -> bool {
    let is_small = number.parse::<i32>().is_ok();
    let digits = number.strip_prefix('-').unwrap_or_default();
    digits.starts_with(|first: char| first.is_ascii_digit())
        && match cast {
            "integer" => is_small,
            "bigint" => !is_small && number.parse::<i64>().is_ok(),
            "numeric" => {
                let parts = digits.split_once('.');
                let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
                parts.is_some_and(|(whole, rest)| is_digits(whole) && is_digits(rest))
            }
            _ => false,
        }
}

/// A literal without the cast to the column's own type, which the database adds, a number without quotes; `None` for NULL.
fn meant(sql_type: &str, text: &str) -> Option<String> {
    let written = as_written(sql_type, text)?;
    let inside = written
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    let number = inside.filter(|inside| {
        let digits = inside.strip_prefix('-').unwrap_or(inside);
        NUMBERS.contains(&long_name(sql_type).as_str())
            && !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    Some(number.map_or_else(|| written.clone(), str::to_owned))
}

/// A single string literal.
fn is_literal(text: &str) -> bool {
    text.len() > 1
        && text.starts_with('\'')
        && text.ends_with('\'')
        && !text[1..text.len() - 1].replace("''", "").contains('\'')
}

/// A type without its bounds, as PostgreSQL prints it.
fn long_name(sql_type: &str) -> String {
    let sql_type = sql_type.trim();
    if let Some(element) = sql_type.strip_suffix("[]") {
        return format!("{}[]", long_name(element));
    }
    let unbounded = match sql_type.split_once('(') {
        Some((head, rest)) => {
            let tail = rest.split_once(')').map_or("", |(_, tail)| tail);
            format!("{}{tail}", head.trim_end())
        }
        None => sql_type.to_owned(),
    };
    let mut names = LONG_NAMES.iter().chain(&SHORT_TIMES);
    let long = names.find(|(short, _)| unbounded.eq_ignore_ascii_case(short));
    long.map_or(unbounded, |(_, long)| (*long).to_owned())
}

impl Dialect {
    /// Whether the database keeps a new column's default beside the table's definition instead of in every row.
    pub fn is_stored_once(&self, default: &str) -> Result<bool, ExpressionError> {
        let functions = self.functions_in(default)?;
        let stable = self.capabilities().stable_default;
        Ok(functions
            .iter()
            .all(|function| stable && self.is_stable_function(function)))
    }

    /// Whether two defaults of a column of that type say the same, spelled differently: by a cast to the type itself, by
    /// space, by the case of words, by parentheses around all of it.
    pub fn same_default(&self, sql_type: &str, one: Option<&str>, other: Option<&str>) -> bool {
        let words = |text: Option<&str>| {
            let bare = text.and_then(|text| meant(sql_type, unwrapped(text)));
            bare.map(|text| self.words(unwrapped(&text)))
        };
        one == other || words(one) == words(other)
    }

    /// The tokens without space, unquoted words in lower case; the whole text where it has none.
    pub(super) fn words(&self, text: &str) -> Vec<String> {
        let Ok(tokens) = Tokenizer::new(self.grammar(), text).tokenize() else {
            return vec![text.to_owned()];
        };
        let tokens = tokens
            .into_iter()
            .filter(|token| !matches!(token, Token::Whitespace(_)));
        tokens
            .map(|token| match &token {
                Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
                other => other.to_string(),
            })
            .collect()
    }
}

/// Without parentheses around all of it.
pub(super) fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return text;
    };
    // A parenthesis in a text is counted as well: then the outer ones stay, and nothing is taken for the same that is not.
    let mut depth = 0_i32;
    let closes_early = inside.chars().any(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth < 0
    });
    if closes_early || depth != 0 {
        text
    } else {
        unwrapped(inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_written_as_people_write_them() {
        for (sql_type, text, expected) in [
            ("text", "'x'::text", Some("'x'")),
            (
                "character varying(10)",
                "'it''s'::character varying",
                Some("'it''s'"),
            ),
            ("varchar(10)", "'a'::character varying", Some("'a'")),
            ("character(4)", "'ab'::bpchar", Some("'ab'")),
            ("integer", "'-1'::integer", Some("-1")),
            ("bigint", "'-1'::integer", Some("-1")),
            ("bigint", "'-1'::bigint", Some("'-1'")),
            ("bigint", "'-3000000000'::bigint", Some("-3000000000")),
            ("bigint", "'0'::bigint", Some("'0'")),
            ("numeric(4,2)", "'-0.5'::numeric", Some("-0.5")),
            ("numeric(4,2)", "'-5'::numeric", Some("'-5'")),
            ("real", "'-0.5'::numeric", Some("-0.5")),
            ("text", "'-1'::integer", Some("'-1'::integer")),
            ("text[]", "'{}'::text[]", Some("'{}'")),
            ("varchar(3)[]", "'{}'::character varying[]", Some("'{}'")),
            ("mood", "'well'::mood", Some("'well'")),
            ("\"Mood\"", "'well'::\"Mood\"", Some("'well'")),
            ("text", "NULL::text", None),
            (
                "text",
                "('a'::text || 'b'::text)",
                Some("('a'::text || 'b'::text)"),
            ),
            (
                "text",
                "'a'::text || 'b'::text",
                Some("'a'::text || 'b'::text"),
            ),
            ("date", "'now'::text::date", Some("'now'::text::date")),
            ("timestamp(3) with time zone", "now()", Some("now()")),
        ] {
            let found = as_written(sql_type, text);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_database_s_own_spelling_is_no_difference() {
        let dialect = Dialect::named("postgres").unwrap();
        let same = |sql_type: &str, one: &str, other: &str| {
            dialect.same_default(sql_type, Some(one), Some(other))
        };
        for (sql_type, one, other) in [
            ("text[]", "'{}'", "'{}'::text[]"),
            ("mood", "'a'::mood", "'a'"),
            ("timestamptz", "NOW()", "now()"),
            (
                "timestamptz",
                "now()+'1 day'::interval",
                "(now() + '1 day'::interval)",
            ),
            (
                "timestamptz",
                "'2020-01-01'",
                "'2020-01-01'::timestamp with time zone",
            ),
            ("bigint", "0", "'0'::bigint"),
            ("boolean", "FALSE", "false"),
        ] {
            assert!(same(sql_type, one, other), "{one} {other}");
        }
        for (sql_type, one, other) in [
            ("text", "'a'", "'A'"),
            ("text", "'a b'", "'ab'"),
            ("date", "'now'::text::date", "'now'::date"),
            ("text", "lower(\"A\")", "lower(a)"),
            ("text", "('a') || ('b')", "'a') || ('b'"),
        ] {
            assert!(!same(sql_type, one, other), "{one} {other}");
        }
        assert!(dialect.same_default("text", Some("NULL::text"), None));
        assert!(!dialect.same_default("text", Some("''"), None));
    }
}
