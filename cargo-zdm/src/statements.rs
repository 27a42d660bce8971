//! The statements of a file of SQL and their tokens, each at its place.
//!
//! Comes in: text. Goes out: slices of it, to the byte.
//! Must not know: what a statement means.

/// A statement without the semicolon that ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    pub(crate) text: &'a str,
    /// Where its first word stands, counted from 1.
    pub(crate) line: usize,
}

/// A word, a quoted name, a literal, or a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    /// The byte at which it begins.
    pub(crate) start: usize,
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// It is this keyword, unquoted.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// The statements of a file. What psql does with a line of its own is left to [`Statement::is_for_psql`]; rows that `COPY`
/// reads from the file itself are passed over.
pub(crate) fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while let Some(first) = next(text, at) {
        line += text[counted..first.start].matches('\n').count();
        counted = first.start;
        let end = if first.text.starts_with('\\') {
            end_of_line(text, first.start)
        } else {
            end_of_statement(text, first)
        };
        let statement = Statement {
            text: text[first.start..end].trim_end(),
            line,
        };
        at = (end + 1).min(text.len());
        if statement.reads_what_follows() {
            at = text[at..]
                .find("\n\\.")
                .map_or(text.len(), |found| end_of_line(text, at + found + 1));
        }
        if first.text != ";" {
            found.push(statement);
        }
    }
    found
}

impl<'a> Statement<'a> {
    /// psql's own: `\connect`.
    pub(crate) fn is_for_psql(&self) -> bool {
        self.text.starts_with('\\')
    }

    fn reads_what_follows(&self) -> bool {
        let mut words = self.tokens().into_iter();
        let copies = words.next().is_some_and(|word| word.is("copy"));
        copies && words.any(|word| word.is("stdin"))
    }

    pub(crate) fn tokens(&self) -> Vec<Token<'a>> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(token) = next(self.text, at) {
            at = token.end();
            tokens.push(token);
        }
        tokens
    }
}

/// Where the statement's semicolon stands: those within a body of statements end none.
fn end_of_statement(text: &str, first: Token<'_>) -> usize {
    let mut at = first.start;
    let mut words = Vec::new();
    let mut depth = 0usize;
    while let Some(token) = next(text, at) {
        at = token.end();
        if words.len() < 6 {
            words.push(token.text.to_lowercase());
        }
        let has_body = words[0] == "create"
            && words
                .iter()
                .any(|word| matches!(word.as_str(), "function" | "procedure" | "trigger"));
        if has_body && (token.is("begin") || (depth > 0 && token.is("case"))) {
            depth += 1;
        } else if token.is("end") {
            depth = depth.saturating_sub(1);
        } else if token.text == ";" && depth == 0 {
            return token.start;
        }
    }
    text.len()
}

fn end_of_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found)
}

/// The token at a place or behind it; space and comments are passed over.
pub(crate) fn next(text: &str, mut at: usize) -> Option<Token<'_>> {
    loop {
        let rest = &text[at..];
        let first = rest.chars().next()?;
        if first.is_whitespace() {
            at += first.len_utf8();
        } else if rest.starts_with("--") {
            at = end_of_line(text, at);
        } else if rest.starts_with("/*") {
            at = end_of_comment(text, at);
        } else {
            let end = end_of_token(text, at, first);
            return Some(Token {
                text: &text[at..end],
                start: at,
            });
        }
    }
}

/// PostgreSQL's comments stand within one another (manual, "Lexical Structure").
fn end_of_comment(text: &str, at: usize) -> usize {
    let (mut depth, mut at) = (0usize, at);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn end_of_token(text: &str, at: usize, first: char) -> usize {
    let rest = &text[at..];
    let quoted = |from: usize, quote: char, escapes: bool| {
        let mut characters = text[from..].char_indices().peekable();
        while let Some((found, character)) = characters.next() {
            if escapes && character == '\\' {
                characters.next();
            } else if character == quote {
                match characters.peek() {
                    Some((_, next)) if *next == quote => {
                        characters.next();
                    }
                    _ => return from + found + 1,
                }
            }
        }
        text.len()
    };
    match first {
        '\'' | '"' | '`' => quoted(at + 1, first, false),
        'e' | 'E' if rest[1..].starts_with('\'') => quoted(at + 2, '\'', true),
        'b' | 'B' | 'x' | 'X' | 'n' | 'N' if rest[1..].starts_with('\'') => {
            quoted(at + 2, '\'', false)
        }
        '$' => end_of_dollars(text, at),
        _ if first.is_alphanumeric() || first == '_' => {
            let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            // A number goes on behind its point.
            let in_number = |c: char| in_word(c) || c == '.';
            let length = if first.is_ascii_digit() {
                rest.find(|c| !in_number(c))
            } else {
                rest.find(|c| !in_word(c))
            };
            at + length.unwrap_or(rest.len())
        }
        ':' if rest.starts_with("::") => at + 2,
        _ => at + first.len_utf8(),
    }
}

/// `$tag$ … $tag$`, or a parameter.
fn end_of_dollars(text: &str, at: usize) -> usize {
    let rest = &text[at + 1..];
    let tag = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let Some(tag) = tag.filter(|length| rest[*length..].starts_with('$')) else {
        return at + 1;
    };
    let quote = &text[at..at + tag + 2];
    let inside = at + quote.len();
    text[inside..]
        .find(quote)
        .map_or(text.len(), |found| inside + found + quote.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_their_own_semicolon() {
        let text = "-- a; b\n\\restrict x\nCREATE TABLE t (a text DEFAULT ';' /* ; /* ; */ ; */);\n\n\
            CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;\n\
            DO $a$ begin; $$ ; $$ end $a$;\nSELECT E'\\';';;\nCOPY t (a) FROM stdin;\n1;\n\\.\n\nBEGIN;\nEND";
        let found = statements(text);
        let shown: Vec<_> = found
            .iter()
            .map(|statement| (statement.line, statement.text.split(' ').next().unwrap()))
            .collect();
        assert_eq!(
            shown,
            [
                (2, "\\restrict"),
                (3, "CREATE"),
                (5, "CREATE"),
                (6, "DO"),
                (7, "SELECT"),
                (8, "COPY"),
                (12, "BEGIN"),
                (13, "END")
            ]
        );
        assert!(found[2].text.ends_with("SELECT 2; END"));
        assert!(found[4].text.ends_with("';'"));
    }
}
