//! Whole statements of an application, read to see what they name.

use sqlparser::ast::{Ident, Statement};
use sqlparser::dialect::{Dialect as Grammar, GenericDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser as SqlParser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::expression::{byte_of, folded};
use super::facts::Parser;
use super::{Dialect, postgres, sqlite};

impl Dialect {
    /// The statements of a text; `None` where it is none that is understood. Placeholders of any client are.
    pub(crate) fn statements(&self, text: &str) -> Option<Vec<Statement>> {
        let grammar = self.grammar();
        let tokens = tokens(grammar, text);
        let parsed = tokens.and_then(|tokens| {
            parsed(grammar, tokens.clone()).or_else(|| parsed(grammar, self.in_other_words(tokens)))
        });
        // `?` and `:name` are operators to a database that does not know them as parameters.
        parsed.or_else(|| {
            let any = &GenericDialect {};
            self::parsed(any, self::tokens(any, text)?)
        })
    }

    fn in_other_words(&self, tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
        match self.facts.parser {
            Parser::PostgreSql => postgres::understood(tokens),
            Parser::Sqlite => sqlite::understood(tokens),
        }
    }

    /// A name in a statement, as the database compares names.
    pub(crate) fn name_of(&self, ident: &Ident) -> String {
        match self.facts.parser {
            Parser::PostgreSql => folded(ident),
            Parser::Sqlite => ident.value.to_lowercase(),
        }
    }

    /// The name of a table or a column, as the database compares names.
    pub(crate) fn compared(&self, name: &str) -> String {
        match self.facts.parser {
            Parser::PostgreSql => name.to_owned(),
            Parser::Sqlite => name.to_lowercase(),
        }
    }
}

/// The tokens of a text. `TABLE users` is `SELECT * FROM users`, which the parser knows.
fn tokens(grammar: &'static dyn Grammar, text: &str) -> Option<Vec<TokenWithSpan>> {
    let mut read = Tokenizer::new(grammar, text);
    let read = read.tokenize_with_location().ok()?;
    let mut begins = true;
    let mut tokens = Vec::with_capacity(read.len());
    for token in read {
        match &token.token {
            Token::Word(word) if begins && word.keyword == Keyword::TABLE => {
                let words = [
                    Token::make_keyword("SELECT"),
                    Token::Mul,
                    Token::make_keyword("FROM"),
                ];
                let there = |word| TokenWithSpan::new(word, token.span);
                tokens.extend(words.map(there));
                begins = false;
                continue;
            }
            Token::Whitespace(_) => {}
            other => begins = matches!(other, Token::LParen | Token::SemiColon),
        }
        tokens.push(token);
    }
    Some(tokens)
}

fn parsed(grammar: &'static dyn Grammar, tokens: Vec<TokenWithSpan>) -> Option<Vec<Statement>> {
    let mut parser = SqlParser::new(grammar).with_tokens_with_locations(tokens);
    parser.parse_statements().ok()
}

/// The byte at which the parser says that something stands.
pub(crate) fn byte_at(text: &str, location: sqlparser::tokenizer::Location) -> usize {
    byte_of(text, location)
}
