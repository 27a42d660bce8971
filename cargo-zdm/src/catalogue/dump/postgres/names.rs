//! Names and expressions as the server prints them, and the names that it gives.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::super::cursor::{Cursor, Name, identifier};
use super::{Reader, Refused};
use crate::catalogue::Table;
use crate::catalogue::definition::{collapsed, unwrapped};
use crate::statements;

/// PostgreSQL cuts names off here.
const LONGEST: usize = 63;

/// Words that it quotes where they are names (manual, "SQL Key Words"): all but those that are not reserved at all.
static QUOTED: LazyLock<HashSet<&str>> = LazyLock::new(|| KEY_WORDS.split(' ').collect());

const KEY_WORDS: &str = "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case \
    cast char character check coalesce collate collation column concurrently constraint create cross current_catalog \
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default \
    deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant \
    greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join \
    lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull \
    null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real \
    references returning right row select session_user setof similar smallint some substring symmetric table \
    tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic \
    verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse \
    xmlpi xmlroot xmlserialize xmltable";

impl Reader<'_> {
    /// The object's name if it is of the schema that is read.
    pub(super) fn own(&self, name: &Name) -> bool {
        name.schema.as_deref().unwrap_or(&self.unqualified) == self.schema
    }

    /// A collation or an operator class as the server prints it: a name alone is one of the server's own.
    pub(super) fn of_server(&self, cursor: &mut Cursor<'_>) -> Result<String, Refused> {
        let mut name = qualified(cursor)?;
        name.schema.get_or_insert_with(|| "pg_catalog".to_owned());
        Ok(self.printed(&name))
    }

    /// As `regclass` prints it where the search path is one schema alone.
    pub(super) fn printed(&self, name: &Name) -> String {
        let quoted = |name: &str| {
            let plain = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && !QUOTED.contains(name);
            if plain {
                name.to_owned()
            } else {
                format!("\"{}\"", name.replace('"', "\"\""))
            }
        };
        match &name.schema {
            Some(schema) if *schema != self.home && schema != "pg_catalog" => {
                format!("{}.{}", quoted(schema), quoted(&name.name))
            }
            None if self.unqualified != self.home => {
                format!("{}.{}", quoted(&self.unqualified), quoted(&name.name))
            }
            _ => quoted(&name.name),
        }
    }

    /// An expression without what stands around all of it, in one line.
    pub(super) fn expression(&self, text: &str) -> String {
        collapsed(unwrapped(&self.local(text)))
    }

    /// The text without the schema before names of its own: a dump's search path is empty.
    pub(super) fn local(&self, text: &str) -> String {
        let mut kept = String::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(token) = statements::next(text, at) {
            at = token.end();
            let found = |name: &str| name == self.home || name == "pg_catalog";
            let qualifies = text[at..].starts_with('.')
                && !text[..token.start].ends_with('.')
                && identifier(token.text).is_some_and(|name| found(&name));
            if let Some((schema, symbol, length)) = operator(token, &text[at..])
                && found(&schema)
            {
                kept.push_str(&text[copied..token.start]);
                kept.push_str(symbol);
                at += length;
                copied = at;
            } else if qualifies {
                kept.push_str(&text[copied..token.start]);
                at += 1;
                copied = at;
            } else if token.text.starts_with('\'') && text[at..].starts_with("::regclass") {
                let inside = &token.text[1..];
                let quoted = format!("\"{}\".", self.home);
                let plain = format!("{}.", self.home);
                let own = [&quoted, &plain]
                    .into_iter()
                    .find(|own| inside.starts_with(own.as_str()));
                if let Some(own) = own {
                    kept.push_str(&text[copied..=token.start]);
                    copied = token.start + 1 + own.len();
                }
            }
        }
        kept.push_str(&text[copied..]);
        kept
    }

    /// The name that the server gives where none is given (its source, `ChooseRelationName`).
    pub(super) fn free_name(&self, table: &str, columns: &[String], label: &str) -> String {
        let columns = columns.join("_");
        let mut name = shortened(table, &columns, label);
        let mut number = 0;
        while self.names.contains(&name) {
            number += 1;
            name = shortened(table, &columns, &format!("{label}{number}"));
        }
        name
    }
}

/// Behind the word: the schema and the symbol of `OPERATOR(public.=)`, and how long that is.
fn operator<'a>(word: statements::Token<'_>, behind: &'a str) -> Option<(String, &'a str, usize)> {
    let (inside, _) = behind.strip_prefix('(')?.split_once(')')?;
    let (schema, symbol) = inside.rsplit_once('.').filter(|_| word.is("operator"))?;
    Some((identifier(schema)?, symbol, inside.len() + 2))
}

pub(super) fn qualified(cursor: &mut Cursor<'_>) -> Result<Name, Refused> {
    let name = cursor.qualified();
    name.ok_or_else(|| "a name is expected here".to_owned())
}

/// Takes from the longer of both until all fits.
fn shortened(table: &str, columns: &str, label: &str) -> String {
    let beside = label.len() + 1 + usize::from(!columns.is_empty());
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second + beside > LONGEST {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let clipped = |text: &str, mut length: usize| {
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        text[..length].to_owned()
    };
    let (table, columns) = (clipped(table, first), clipped(columns, second));
    if columns.is_empty() {
        format!("{table}_{label}")
    } else {
        format!("{table}_{columns}_{label}")
    }
}

/// The columns of a table that an expression names, each once.
pub(super) fn columns_of(table: &Table, expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = statements::next(expression, at) {
        at = token.end();
        if let Some(name) = identifier(token.text)
            && table.columns.iter().any(|column| column.name == name)
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_as_the_server_gives_them() {
        let long = "x".repeat(60);
        assert_eq!(shortened("users", "email", "key"), "users_email_key");
        assert_eq!(shortened("users", "", "pkey"), "users_pkey");
        assert_eq!(shortened(&long, "email", "key").len(), 63);
        assert!(shortened(&long, "email", "key").ends_with("x_email_key"));
    }
}
