//! A statement, read token by token.

use crate::statements::{Statement, Token};

/// What of a statement has not been read yet.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
}

/// A name with what stands before it: `public.users`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl<'a> Cursor<'a> {
    pub(super) fn of(statement: Statement<'a>) -> Self {
        Self {
            text: statement.text,
            tokens: statement.tokens(),
            at: 0,
        }
    }

    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    /// Takes these words, where they are the next; else nothing.
    pub(super) fn take(&mut self, words: &str) -> bool {
        let wanted: Vec<_> = words.split(' ').collect();
        let found = self.tokens.get(self.at..self.at + wanted.len());
        let same = found.is_some_and(|found| {
            std::iter::zip(found, &wanted).all(|(token, word)| token.is(word))
        });
        if same {
            self.at += wanted.len();
        }
        same
    }

    /// The next token as a name: an unquoted one is in lower case.
    pub(super) fn name(&mut self) -> Option<String> {
        let token = self.peek()?;
        let name = identifier(token.text)?;
        self.at += 1;
        Some(name)
    }

    pub(super) fn qualified(&mut self) -> Option<Name> {
        let mut name = Name {
            schema: None,
            name: self.name()?,
        };
        while self.take(".") {
            name = Name {
                schema: Some(name.name),
                name: self.name()?,
            };
        }
        Some(name)
    }

    /// What stands between the parentheses that open here.
    pub(super) fn inside(&mut self) -> Option<Cursor<'a>> {
        if !self.take("(") {
            return None;
        }
        let from = self.at;
        self.skip_while(|_| true);
        let inside = self.part(from, self.at);
        self.take(")").then_some(inside)
    }

    /// The parts between commas.
    pub(super) fn parts(&mut self) -> Vec<Cursor<'a>> {
        let mut parts = Vec::new();
        while !self.is_at_end() {
            let from = self.at;
            self.skip_while(|token| token.text != ",");
            parts.push(self.part(from, self.at));
            self.take(",");
        }
        parts
    }

    /// The text from here to where a token is not wanted any more; within parentheses all are.
    pub(super) fn text_while(&mut self, wanted: impl FnMut(Token<'a>) -> bool) -> &'a str {
        let from = self.at;
        self.skip_while(wanted);
        self.part(from, self.at).rest()
    }

    /// The text that is left, to the byte.
    pub(super) fn rest(&self) -> &'a str {
        match (self.peek(), self.tokens.last()) {
            (Some(first), Some(last)) => &self.text[first.start..last.end()],
            _ => "",
        }
    }

    /// Ends before the parenthesis that closes what was open before.
    fn skip_while(&mut self, mut wanted: impl FnMut(Token<'a>) -> bool) {
        let mut depth = 0usize;
        while let Some(token) = self.peek() {
            match token.text {
                "(" | "[" => depth += 1,
                ")" | "]" if depth == 0 => return,
                ")" | "]" => depth -= 1,
                _ if depth == 0 && !wanted(token) => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn part(&self, from: usize, to: usize) -> Cursor<'a> {
        Cursor {
            text: self.text,
            tokens: self.tokens[from..to].to_vec(),
            at: 0,
        }
    }
}

/// The name that a token spells.
pub(super) fn identifier(text: &str) -> Option<String> {
    if let Some(inside) = text.strip_prefix('"') {
        return Some(inside.strip_suffix('"')?.replace("\"\"", "\""));
    }
    let first = text.chars().next()?;
    let is_name = (first.is_alphabetic() || first == '_') && !text.contains('\'');
    is_name.then(|| text.to_lowercase())
}
