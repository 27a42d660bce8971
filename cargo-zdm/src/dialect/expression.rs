//! The user's SQL expressions: read with sqlparser, never rewritten through it. A column's name is replaced where it
//! stands; every other byte stays.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{Expr, FunctionArguments, Ident, ObjectNamePart, visit_expressions};
use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::{Parser as SqlParser, ParserError};
use sqlparser::tokenizer::{Location, Token, Tokenizer, Whitespace};

use super::facts::Parser;
use super::row::not_of_the_row;
use super::{Dialect, postgres, sqlite};

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is no SQL expression.
    #[error("`{expression}` is not understood as a {vendor} expression: {reason}")]
    Syntax {
        /// The text.
        expression: String,
        /// The database.
        vendor: String,
        /// What the parser says.
        reason: String,
    },
    /// It reads other rows.
    #[error(
        "`{expression}` contains a subquery: a value computed from other rows is stale as soon as they change; use the row's own columns"
    )]
    Subquery {
        /// The text.
        expression: String,
    },
    /// It names a column by its table.
    #[error(
        "`{expression}` names a column as `{qualified}`: the expression is used where the table has other names; write `{bare}`"
    )]
    Qualified {
        /// The text.
        expression: String,
        /// The name as it stands there.
        qualified: String,
        /// What to write.
        bare: String,
    },
    /// It computes over several rows.
    #[error(
        "`{expression}` calls `{function}` over several rows: a value computed from other rows is stale as soon as they change; use the row's own columns"
    )]
    OverRows {
        /// The text.
        expression: String,
        /// The aggregate or window function.
        function: String,
    },
    /// It has a comment to the end of the line.
    #[error(
        "`{expression}` has a comment, which would take what follows the expression along; write it beside the attribute"
    )]
    Comment {
        /// The text.
        expression: String,
    },
    /// It waits for a parameter.
    #[error(
        "`{expression}` has the parameter `{parameter}`, which nobody gives it; name a column or write the value"
    )]
    Parameter {
        /// The text.
        expression: String,
        /// The parameter.
        parameter: String,
    },
}

impl Dialect {
    /// The columns that an expression over one row names, each once, in alphabetical order.
    pub fn columns_in(&self, expression: &str) -> Result<BTreeSet<String>, ExpressionError> {
        self.columns_of_row(expression, &self.parse(expression)?)
    }

    /// The same for an element of an index: an expression, then perhaps an operator class and an order.
    pub fn columns_in_element(&self, element: &str) -> Result<BTreeSet<String>, ExpressionError> {
        self.columns_of_row(element, &self.parse_element(element)?)
    }

    /// The functions that an expression calls, in lower case.
    pub fn functions_in(&self, expression: &str) -> Result<BTreeSet<String>, ExpressionError> {
        let mut names = BTreeSet::new();
        let parsed = self.parse(expression)?;
        let _: ControlFlow<()> = visit_expressions(&parsed, |node| {
            if let Expr::Function(function) = node
                && let Some(ObjectNamePart::Identifier(name)) = function.name.0.last()
            {
                names.insert(name.value.to_lowercase());
            }
            ControlFlow::Continue(())
        });
        Ok(names)
    }

    /// Puts a text in the place of each column that an expression names bare: `users.age`, `excluded.age_int`,
    /// `CAST($2 AS integer)`. Unquoted names are compared without case, quoted ones exactly; what is not replaced
    /// stays byte for byte.
    pub fn bind(
        &self,
        expression: &str,
        replacements: &[(&str, &str)],
    ) -> Result<String, ExpressionError> {
        bound(expression, &self.parse(expression)?, replacements)
    }

    /// The same in an element of an index.
    pub fn bind_element(
        &self,
        element: &str,
        replacements: &[(&str, &str)],
    ) -> Result<String, ExpressionError> {
        bound(element, &self.parse_element(element)?, replacements)
    }

    /// Quotes each of these columns that is named bare and by a reserved word, as if no word were reserved: `user` is the
    /// column, not the role. What does not parse stays as it is.
    pub fn spelled(&self, expression: &str, columns: &[&str]) -> String {
        let Ok(parsed) = self.parse(expression) else {
            return expression.to_owned();
        };
        let mut places: Vec<(Range<usize>, String)> = Vec::new();
        let _: ControlFlow<()> = visit_expressions(&parsed, |node| {
            if let Some(word) = word(node)
                && word.quote_style.is_none()
            {
                let name = folded(word);
                let spelled = self.ident(&name);
                if columns.contains(&name.as_str()) && spelled != name {
                    places.push((byte_range(expression, word), spelled));
                }
            }
            ControlFlow::Continue(())
        });
        replaced(expression, places)
    }

    /// Whether an expression has a comment that only a line's end ends.
    fn comments(&self, expression: &str) -> bool {
        let comment = |token: &Token| {
            matches!(
                token,
                Token::Whitespace(Whitespace::SingleLineComment { .. })
            )
        };
        let tokens = Tokenizer::new(self.grammar(), expression).tokenize();
        tokens.is_ok_and(|tokens| tokens.iter().any(comment))
    }

    pub(super) fn grammar(&self) -> &'static dyn sqlparser::dialect::Dialect {
        match self.facts.parser {
            Parser::PostgreSql => &PostgreSqlDialect {},
            Parser::Sqlite => &SQLiteDialect {},
        }
    }

    pub(super) fn parse(&self, expression: &str) -> Result<Expr, ExpressionError> {
        let mut parser = self.parser(expression)?;
        let parsed = parser.parse_expr();
        self.to_the_end(expression, &parser, parsed)
    }

    pub(super) fn parse_element(&self, element: &str) -> Result<Expr, ExpressionError> {
        let mut parser = self.parser(element)?;
        let parsed = parser.parse_create_index_expr();
        let parsed = self.to_the_end(element, &parser, parsed)?;
        Ok(parsed.column.expr)
    }

    fn parser(&self, text: &str) -> Result<SqlParser<'static>, ExpressionError> {
        let grammar = self.grammar();
        let mut tokens = Tokenizer::new(grammar, text)
            .tokenize_with_location()
            .map_err(|error| self.syntax(text, error.to_string()))?;
        if matches!(self.facts.parser, Parser::Sqlite) {
            if tokens.iter().any(sqlite::is_foreign) {
                let reason = "`::` is PostgreSQL's cast; write `CAST(… AS …)`";
                return Err(self.syntax(text, reason.to_owned()));
            }
            tokens = sqlite::understood(tokens);
        } else {
            tokens = postgres::understood(tokens);
        }
        Ok(SqlParser::new(grammar).with_tokens_with_locations(tokens))
    }

    /// What is meant, in the parser's words: nothing is left out of it, so that some of what the database knows is not read.
    pub(super) fn meant<T>(
        &self,
        text: &str,
        parse: impl FnOnce(&mut SqlParser<'static>) -> Result<T, ParserError>,
    ) -> Option<T> {
        let grammar = self.grammar();
        let mut tokens = Tokenizer::new(grammar, text)
            .tokenize_with_location()
            .ok()?;
        if matches!(self.facts.parser, Parser::PostgreSql) {
            tokens = postgres::meant(tokens);
        }
        let mut parser = SqlParser::new(grammar).with_tokens_with_locations(tokens);
        let parsed = parse(&mut parser);
        self.to_the_end(text, &parser, parsed).ok()
    }

    /// What was parsed, if nothing follows it.
    fn to_the_end<T>(
        &self,
        text: &str,
        parser: &SqlParser<'_>,
        parsed: Result<T, ParserError>,
    ) -> Result<T, ExpressionError> {
        let parsed = parsed.map_err(|error| self.syntax(text, error.to_string()))?;
        match parser.peek_token().token {
            Token::EOF => Ok(parsed),
            rest => Err(self.syntax(text, format!("it goes on with `{rest}`"))),
        }
    }

    fn syntax(&self, text: &str, reason: String) -> ExpressionError {
        ExpressionError::Syntax {
            expression: text.to_owned(),
            vendor: self.vendor().to_owned(),
            reason,
        }
    }

    fn columns_of_row(
        &self,
        text: &str,
        parsed: &Expr,
    ) -> Result<BTreeSet<String>, ExpressionError> {
        let names = identifiers(text, parsed)?;
        if self.comments(text) {
            return Err(ExpressionError::Comment {
                expression: text.to_owned(),
            });
        }
        let refused = visit_expressions(parsed, |node| {
            not_of_the_row(text, node).map_or(ControlFlow::Continue(()), ControlFlow::Break)
        });
        match refused {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(names.iter().map(folded).collect()),
        }
    }
}

fn identifiers(text: &str, parsed: &Expr) -> Result<Vec<Ident>, ExpressionError> {
    let mut idents = Vec::new();
    let outcome = visit_expressions(parsed, |node| {
        match node {
            Expr::Identifier(ident) => idents.push(ident.clone()),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                return ControlFlow::Break(());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    if outcome.is_break() {
        return Err(ExpressionError::Subquery {
            expression: text.to_owned(),
        });
    }
    Ok(idents)
}

fn bound(
    text: &str,
    parsed: &Expr,
    replacements: &[(&str, &str)],
) -> Result<String, ExpressionError> {
    let mut places: Vec<(Range<usize>, String)> = Vec::new();
    for ident in identifiers(text, parsed)? {
        let name = folded(&ident);
        if let Some((_, replacement)) = replacements.iter().find(|(column, _)| *column == name) {
            places.push((byte_range(text, &ident), (*replacement).to_owned()));
        }
    }
    Ok(replaced(text, places))
}

/// What stands by itself: a name, or a function that is called without parentheses.
fn word(node: &Expr) -> Option<&Ident> {
    match node {
        Expr::Identifier(ident) => Some(ident),
        Expr::Function(function) if function.args == FunctionArguments::None => {
            match &function.name.0[..] {
                [ObjectNamePart::Identifier(ident)] => Some(ident),
                _ => None,
            }
        }
        _ => None,
    }
}

pub(super) fn replaced(expression: &str, mut places: Vec<(Range<usize>, String)>) -> String {
    places.sort_by_key(|(range, _)| range.start);
    let mut text = String::with_capacity(expression.len());
    let mut done = 0;
    for (range, replacement) in places {
        text.push_str(&expression[done..range.start]);
        text.push_str(&replacement);
        done = range.end;
    }
    text.push_str(&expression[done..]);
    text
}

/// Unquoted names are compared without case, as the databases do.
pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}

pub(super) fn byte_range(text: &str, ident: &Ident) -> Range<usize> {
    byte_of(text, ident.span.start)..byte_of(text, ident.span.end)
}

/// The parser counts lines and characters from 1.
pub(super) fn byte_of(text: &str, location: Location) -> usize {
    let mut line = 1;
    let mut column = 1;
    for (byte, character) in text.char_indices() {
        if (line, column) == (location.line, location.column) {
            return byte;
        }
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
