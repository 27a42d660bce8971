//! Comments: those on tables and columns are part of them, those on indexes and constraints are listed.

use super::super::cursor::Cursor;
use super::names::qualified;
use super::{Reader, Refused};

impl Reader<'_> {
    /// Behind `COMMENT`.
    pub(super) fn comment(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        if !cursor.take("on") {
            return Err("a comment is ON something".to_owned());
        }
        if cursor.take("table") {
            let table = qualified(cursor)?;
            if self.has(self.own(&table), &table.name) {
                self.table_mut(&table.name)?.comment = text(cursor)?;
            }
        } else if cursor.take("column") {
            let mut names = Vec::new();
            while let Some(name) = cursor.name() {
                names.push(name);
                if !cursor.take(".") {
                    break;
                }
            }
            let (Some(column), Some(table)) = (names.pop(), names.pop()) else {
                return Err("a column's name is expected here".to_owned());
            };
            let schema = names.pop().unwrap_or_else(|| self.unqualified.clone());
            if self.has(schema == self.schema, &table) {
                self.column_mut(&table, &column)?.comment = text(cursor)?;
            }
        } else if cursor.take("index") {
            let index = qualified(cursor)?;
            let table = self.indexes.get(&index.name).cloned();
            if let Some(table) = table.filter(|_| self.own(&index)) {
                self.said_of(&table, "comment on the index", &index.name, cursor)?;
            }
        } else if cursor.take("constraint") {
            let name = cursor
                .name()
                .ok_or("a constraint's name is expected here")?;
            cursor.take("on");
            let table = qualified(cursor)?;
            if self.has(self.own(&table), &table.name) {
                self.said_of(&table.name, "comment on the constraint", &name, cursor)?;
            }
        }
        Ok(())
    }

    /// Views and their columns have comments as well.
    fn has(&self, own: bool, table: &str) -> bool {
        own && self.at.contains_key(table)
    }

    fn said_of(
        &mut self,
        table: &str,
        what: &str,
        object: &str,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        match text(cursor)? {
            Some(_) => self.of_table(table, what, object),
            None => Ok(()),
        }
    }
}

/// `IS 'text'`, or `IS NULL`; an empty text is none.
fn text(cursor: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
    if !cursor.take("is") {
        return Err("a comment says what it IS".to_owned());
    }
    if cursor.take("null") {
        return Ok(None);
    }
    let text = literal(cursor)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The text that a literal stands for (manual, "String Constants").
pub(super) fn literal(cursor: &mut Cursor<'_>) -> Result<String, Refused> {
    let token = cursor.next().map_or("", |token| token.text);
    let read = match token.chars().next() {
        Some('\'') => plain(&token[1..]),
        Some('e' | 'E') if token[1..].starts_with('\'') => {
            plain(&token[2..]).and_then(|inside| escaped(&inside))
        }
        Some('$') => dollars(token),
        _ => None,
    };
    let read = read.filter(|_| cursor.is_at_end());
    read.ok_or_else(|| {
        format!("the text {token} {} is not understood", cursor.rest()).replace("  ", " ")
    })
}

fn plain(behind_quote: &str) -> Option<String> {
    let inside = behind_quote.strip_suffix('\'')?;
    Some(inside.replace("''", "'"))
}

fn dollars(token: &str) -> Option<String> {
    let quote = &token[..token[1..].find('$')? + 2];
    let inside = token.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(inside.to_owned())
}

fn escaped(inside: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                // Numbers of characters, which nobody writes into a comment.
                'u' | 'U' | 'x' | '0'..='7' => return None,
                other => other,
            },
            other => other,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::statements;

    #[test]
    fn a_text_is_what_its_literal_stands_for() {
        for (written, expected) in [
            ("'it''s\\ us'", Some("it's\\ us")),
            (r"E'a\nb \\ it\'s'", Some("a\nb \\ it's")),
            ("$x$ it's $$ $x$", Some(" it's $$ ")),
            (r"E'\x41'", None),
            ("U&'a'", None),
            ("12", None),
        ] {
            let read = literal(&mut Cursor::of(statements(written)[0]));
            assert_eq!(read.ok().as_deref(), expected, "{written}");
        }
    }
}
