//! What only the text of a definition tells: on SQLite the checks, the constraints' names, collations.
//!
//! Comes in: `CREATE TABLE`, `CREATE INDEX`, an expression as the database keeps it. Goes out: its parts, to the byte.
//! Must not know: any catalogue.

/// What a `CREATE TABLE` says beyond what SQLite's pragmas tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Definition {
    /// Names and conditions of checks.
    pub(super) checks: Vec<(Option<String>, String)>,
    pub(super) foreign_keys: Vec<Key>,
    /// The primary key's name.
    pub(super) key: Option<String>,
    /// Names and columns of unique constraints.
    pub(super) uniques: Vec<(Option<String>, Vec<String>)>,
    /// Columns and their collations.
    pub(super) collations: Vec<(String, String)>,
    /// Generated columns and their expressions.
    pub(super) generated: Vec<(String, String)>,
    /// `ON CONFLICT …`: what a statement does that does not say.
    pub(super) on_conflict: bool,
}

/// A foreign key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) deferrable: bool,
    pub(super) initially_deferred: bool,
}

/// A piece of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    /// A keyword, a name, a number, a literal.
    Word(&'a str),
    /// What stands between parentheses.
    Inside(&'a str),
    Comma,
}

impl Definition {
    /// Reads a `CREATE TABLE`.
    pub(super) fn of(sql: &str) -> Self {
        let mut definition = Self::default();
        let body = pieces(sql).into_iter().find_map(|piece| match piece {
            Piece::Inside(body) => Some(body),
            _ => None,
        });
        for part in pieces(body.unwrap_or_default()).split(|piece| *piece == Piece::Comma) {
            definition.part(part);
        }
        definition
    }

    /// A column or a constraint.
    fn part(&mut self, part: &[Piece<'_>]) {
        let Some(Piece::Word(first)) = part.first() else {
            return;
        };
        let starts = ["constraint", "primary", "unique", "check", "foreign"];
        let column = (!starts.contains(&first.to_lowercase().as_str())).then(|| unquoted(first));
        let mut name = None;
        let mut rest = &part[usize::from(column.is_some())..];
        while let Some((piece, behind)) = rest.split_first() {
            let Piece::Word(word) = piece else {
                rest = behind;
                continue;
            };
            rest = behind;
            match (word.to_lowercase().as_str(), behind.first()) {
                ("constraint", Some(Piece::Word(given))) => {
                    name = Some(unquoted(given));
                    rest = &behind[1..];
                }
                ("check", Some(Piece::Inside(expr))) => {
                    self.checks.push((name.take(), collapsed(expr)));
                }
                ("primary", _) => self.key = name.take(),
                ("unique", Some(Piece::Inside(columns))) if column.is_none() => {
                    self.uniques.push((name.take(), names(columns)));
                }
                ("unique", _) => {
                    let column = column.iter().cloned().collect();
                    self.uniques.push((name.take(), column));
                }
                ("key", Some(Piece::Inside(columns))) if is(part, "foreign") => {
                    self.key(name.take(), names(columns));
                }
                ("references", _) => {
                    if let Some(column) = &column {
                        self.key(name.take(), vec![column.clone()]);
                    }
                }
                ("not", Some(Piece::Word(word))) if word.eq_ignore_ascii_case("deferrable") => {
                    rest = &behind[1..];
                }
                ("deferrable", _) => {
                    if let Some(key) = self.foreign_keys.last_mut() {
                        key.deferrable = true;
                    }
                }
                ("initially", Some(Piece::Word(word))) if word.eq_ignore_ascii_case("deferred") => {
                    if let Some(key) = self.foreign_keys.last_mut() {
                        key.initially_deferred = true;
                    }
                }
                ("collate", Some(Piece::Word(collation))) => {
                    let column = column.iter().cloned();
                    self.collations
                        .extend(column.map(|column| (column, unquoted(collation))));
                }
                ("as", Some(Piece::Inside(expr))) => {
                    let column = column.iter().cloned();
                    self.generated
                        .extend(column.map(|column| (column, collapsed(expr))));
                }
                ("on", Some(Piece::Word(word))) if word.eq_ignore_ascii_case("conflict") => {
                    self.on_conflict = true;
                }
                _ => {}
            }
        }
    }

    fn key(&mut self, name: Option<String>, columns: Vec<String>) {
        self.foreign_keys.push(Key {
            name,
            columns,
            deferrable: false,
            initially_deferred: false,
        });
    }
}

/// The condition of a partial index.
pub(super) fn predicate(create_index: &str) -> Option<String> {
    let mut at = 0;
    while at < create_index.len() {
        let end = end_of_token(create_index, at);
        match &create_index[at..end] {
            "(" => at = end_of_parentheses(create_index, end),
            word if word.eq_ignore_ascii_case("where") => {
                return Some(collapsed(&create_index[end..]));
            }
            _ => at = end,
        }
    }
    None
}

/// What stands between the first parentheses, each part in one line: the elements of a `CREATE INDEX`.
pub(super) fn elements(definition: &str) -> Vec<String> {
    let inside = pieces(definition)
        .into_iter()
        .find_map(|piece| match piece {
            Piece::Inside(inside) => Some(inside),
            _ => None,
        });
    let list = inside.unwrap_or_default();
    let mut elements = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < list.len() {
        let end = end_of_token(list, at);
        match &list[at..end] {
            "(" => at = (end_of_parentheses(list, end) + 1).min(list.len()),
            "," => {
                elements.push(collapsed(&list[from..at]));
                (from, at) = (end, end);
            }
            _ => at = end,
        }
    }
    elements.push(collapsed(&list[from..]));
    elements
}

/// Whether a text is nothing but this name.
pub(super) fn is_name(text: &str, name: &str) -> bool {
    matches!(pieces(text)[..], [Piece::Word(word)] if unquoted(word) == name)
}

/// The expression without parentheses around all of it.
pub(super) fn unwrapped(expression: &str) -> &str {
    let mut text = expression.trim();
    while let [Piece::Inside(inside)] = pieces(text).as_slice()
        && text.starts_with('(')
    {
        text = inside.trim();
    }
    text
}

/// The text in one line, without comments: quoted parts stay as they are.
pub(super) fn collapsed(text: &str) -> String {
    let mut kept = String::new();
    let mut at = 0;
    while at < text.len() {
        let end = end_of_token(text, at);
        let token = &text[at..end];
        let space = is_comment(token) || token.chars().all(char::is_whitespace);
        if !space {
            kept.push_str(token);
        } else if !kept.is_empty() && !kept.ends_with(' ') {
            kept.push(' ');
        }
        at = end;
    }
    kept.trim_end().to_owned()
}

fn is(part: &[Piece<'_>], word: &str) -> bool {
    part.iter()
        .any(|piece| matches!(piece, Piece::Word(found) if found.eq_ignore_ascii_case(word)))
}

fn names(list: &str) -> Vec<String> {
    pieces(list)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Word(word) => Some(unquoted(word)),
            _ => None,
        })
        .collect()
}

fn unquoted(word: &str) -> String {
    let Some(quote) = word.chars().next() else {
        return String::new();
    };
    let closing = if quote == '[' { ']' } else { quote };
    match word.strip_prefix(['"', '`', '[', '\'']) {
        Some(rest) => {
            let inside = rest.strip_suffix(closing).unwrap_or(rest);
            let doubled: String = [closing, closing].iter().collect();
            inside.replace(&doubled, &closing.to_string())
        }
        None => word.to_owned(),
    }
}

/// The pieces of a text, comments and space left out.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = end_of_token(text, at);
        let token = &text[at..end];
        at = end;
        match token {
            "(" => {
                let inside = end_of_parentheses(text, end);
                pieces.push(Piece::Inside(&text[end..inside]));
                at = (inside + 1).min(text.len());
            }
            "," => pieces.push(Piece::Comma),
            _ if is_comment(token) || token.trim().is_empty() => {}
            _ => pieces.push(Piece::Word(token)),
        }
    }
    pieces
}

/// Where the parenthesis closes that opened before `at`.
fn end_of_parentheses(text: &str, mut at: usize) -> usize {
    let mut depth = 1;
    while at < text.len() {
        let end = end_of_token(text, at);
        match &text[at..end] {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
        at = end;
    }
    text.len()
}

fn is_comment(token: &str) -> bool {
    token.starts_with("--") || token.starts_with("/*")
}

/// The end of the token that begins at a place: a quoted text, a comment, a word, or a single character.
fn end_of_token(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else {
        return text.len();
    };
    let until = |end: &str, from: usize| {
        rest[from..]
            .find(end)
            .map_or(text.len(), |found| at + from + found + end.len())
    };
    match first {
        _ if rest.starts_with("--") => until("\n", 2),
        _ if rest.starts_with("/*") => until("*/", 2),
        '[' => until("]", 1),
        '\'' | '"' | '`' => end_of_quoted(text, at, first),
        _ if in_word(first) => {
            let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            at + length
        }
        _ => at + first.len_utf8(),
    }
}

/// A doubled quote stands for one.
fn end_of_quoted(text: &str, at: usize, quote: char) -> usize {
    let mut from = at + 1;
    while let Some(found) = text[from..].find(quote) {
        from += found + 1;
        if !text[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    text.len()
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
mod tests;
