//! The user's SQL expressions: read with sqlparser, never rewritten through it. A column's name is replaced where it
//! stands; every other byte stays.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{DataType, Expr, FunctionArguments, Ident, ObjectNamePart, visit_expressions};
use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser as SqlParser;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::facts::Parser;
use super::row::not_of_the_row;
use super::{Dialect, sqlite};

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
        let names = self.identifiers(expression)?;
        let refused = visit_expressions(&self.parse(expression)?, |node| {
            not_of_the_row(expression, node).map_or(ControlFlow::Continue(()), ControlFlow::Break)
        });
        if let ControlFlow::Break(error) = refused {
            return Err(error);
        }
        Ok(names.into_iter().map(|name| folded(&name)).collect())
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

    /// Whether an expression casts to another type than a text.
    pub fn casts_in(&self, expression: &str) -> Result<bool, ExpressionError> {
        let parsed = self.parse(expression)?;
        let found = visit_expressions(&parsed, |node| match node {
            Expr::Cast { data_type, .. } if !is_text(data_type) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        Ok(found.is_break())
    }

    /// Puts a text in the place of each column that an expression names bare: `users.age`, `excluded.age_int`,
    /// `CAST($2 AS integer)`. Unquoted names are compared without case, quoted ones exactly; what is not replaced
    /// stays byte for byte.
    pub fn bind(
        &self,
        expression: &str,
        replacements: &[(&str, &str)],
    ) -> Result<String, ExpressionError> {
        let mut places: Vec<(Range<usize>, String)> = Vec::new();
        for ident in self.identifiers(expression)? {
            let name = folded(&ident);
            if let Some((_, text)) = replacements.iter().find(|(column, _)| *column == name) {
                places.push((byte_range(expression, &ident), (*text).to_owned()));
            }
        }
        Ok(replaced(expression, places))
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

    fn identifiers(&self, expression: &str) -> Result<Vec<Ident>, ExpressionError> {
        let parsed = self.parse(expression)?;
        let mut idents = Vec::new();
        let outcome = visit_expressions(&parsed, |node| {
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
                expression: expression.to_owned(),
            });
        }
        Ok(idents)
    }

    fn parse(&self, expression: &str) -> Result<Expr, ExpressionError> {
        let grammar: &dyn sqlparser::dialect::Dialect = match self.facts.parser {
            Parser::PostgreSql => &PostgreSqlDialect {},
            Parser::Sqlite => &SQLiteDialect {},
        };
        let failed = |reason: String| ExpressionError::Syntax {
            expression: expression.to_owned(),
            vendor: self.vendor().to_owned(),
            reason,
        };
        let mut tokens = Tokenizer::new(grammar, expression)
            .tokenize_with_location()
            .map_err(|error| failed(error.to_string()))?;
        if matches!(self.facts.parser, Parser::Sqlite) {
            tokens = sqlite::understood(tokens);
        }
        let mut parser = SqlParser::new(grammar).with_tokens_with_locations(tokens);
        let parsed = parser
            .parse_expr()
            .map_err(|error| failed(error.to_string()))?;
        match parser.peek_token().token {
            Token::EOF => Ok(parsed),
            rest => Err(failed(format!("it goes on with `{rest}`"))),
        }
    }
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

fn replaced(expression: &str, mut places: Vec<(Range<usize>, String)>) -> String {
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

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Text
            | DataType::Varchar(_)
            | DataType::CharacterVarying(_)
            | DataType::Char(_)
            | DataType::Character(_)
    )
}

/// Unquoted names are compared without case, as the databases do.
fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}

fn byte_range(text: &str, ident: &Ident) -> Range<usize> {
    byte_of(text, ident.span.start)..byte_of(text, ident.span.end)
}

/// The parser counts lines and characters from 1.
fn byte_of(text: &str, location: Location) -> usize {
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
mod tests {
    use super::*;

    fn postgres() -> Dialect {
        Dialect::named("postgres").expect("postgres")
    }

    #[test]
    fn replaces_columns_and_leaves_every_other_byte() {
        let bound = postgres().bind(
            "CASE WHEN  AGE ~ '^age$' /* age */ THEN CAST(age AS date) ELSE t.age END -- age",
            &[("age", "users.age"), ("date", "users.date")],
        );
        assert_eq!(
            bound.as_deref(),
            Ok(
                "CASE WHEN  users.age ~ '^age$' /* age */ THEN CAST(users.age AS date) ELSE t.age END -- age"
            ),
        );
    }

    #[test]
    fn replaces_across_lines_and_wide_characters() {
        let bound = postgres().bind("'é' ||\n  name || \"Name\"", &[("name", "$2")]);
        assert_eq!(bound.as_deref(), Ok("'é' ||\n  $2 || \"Name\""));
    }

    #[test]
    fn quotes_columns_that_are_reserved_words_and_nothing_else() {
        let columns = ["user", "full", "left", "end", "name", "current_date"];
        for (expression, spelled) in [
            ("lower(user)", "lower(\"user\")"),
            ("USER || Name", "\"user\" || Name"),
            (
                "split_part(full,' full ',1) -- full",
                "split_part(\"full\",' full ',1) -- full",
            ),
            ("left(name, 3) || \"user\"", "left(name, 3) || \"user\""),
            (
                "CASE WHEN name = '' THEN user END",
                "CASE WHEN name = '' THEN \"user\" END",
            ),
            ("current_date", "\"current_date\""),
            ("session_user || t.user", "session_user || t.user"),
            ("user +", "user +"),
        ] {
            assert_eq!(postgres().spelled(expression, &columns), spelled);
        }
    }

    #[test]
    fn does_not_take_functions_types_or_fields_for_columns() {
        let columns = postgres().columns_in(
            "zdm.\"1_up\"(age) + extract(year FROM born) + left(name, 3)::int + coalesce(n, DATE '2020-01-01')",
        );
        let expected = ["age", "born", "n", "name"].map(str::to_owned);
        assert_eq!(columns, Ok(BTreeSet::from(expected)));
    }

    #[test]
    fn binds_what_the_plan_composes() {
        for name in Dialect::names() {
            let dialect = Dialect::named(name).expect(name);
            let bound = dialect.bind(
                "(CAST(age AS TEXT) IS NOT DISTINCT FROM b OR (CASE WHEN (age > 0) IS FALSE THEN NULL ELSE age END) IS NOT NULL)",
                &[("age", "excluded.age"), ("b", "CAST($2 AS TEXT)")],
            );
            assert_eq!(
                bound.as_deref(),
                Ok(
                    "(CAST(excluded.age AS TEXT) IS NOT DISTINCT FROM CAST($2 AS TEXT) OR (CASE WHEN (excluded.age > 0) IS FALSE THEN NULL ELSE excluded.age END) IS NOT NULL)"
                ),
                "{name}",
            );
        }
    }

    #[test]
    fn reads_the_operators_that_only_sqlite_has() {
        let sqlite = Dialect::named("sqlite").expect("sqlite");
        let bound = sqlite.bind(
            "a NOT GLOB '*[^0-9]*' AND b IS NOT c AND d IS 1 AND e IS NOT NULL AND f IS FALSE",
            &[("a", "t.a"), ("c", "t.c"), ("d", "t.d"), ("f", "t.f")],
        );
        assert_eq!(
            bound.as_deref(),
            Ok(
                "t.a NOT GLOB '*[^0-9]*' AND b IS NOT t.c AND t.d IS 1 AND e IS NOT NULL AND t.f IS FALSE"
            ),
        );
    }

    #[test]
    fn refuses_what_is_no_expression_of_the_row() {
        let dialect = postgres();
        assert!(matches!(
            dialect.columns_in("age; DROP TABLE users"),
            Err(ExpressionError::Syntax { .. })
        ));
        for (text, way_on) in [
            ("upper(users.name)", "write `name`"),
            ("s.t.\"Name\" || ''", "write `\"Name\"`"),
            ("age + $1", "name a column or write the value"),
            ("age - min(age)", "calls `min` over several rows"),
            (
                "row_number() OVER (ORDER BY age)",
                "calls `row_number` over several rows",
            ),
        ] {
            let error = dialect.columns_in(text).expect_err(text).to_string();
            assert!(error.contains(way_on), "{text}: {error}");
        }
        let sqlite = Dialect::named("sqlite").expect("sqlite");
        assert_eq!(
            sqlite
                .columns_in("min(age, 3)")
                .map(|columns| columns.len()),
            Ok(1)
        );
        assert!(matches!(
            dialect.columns_in("age + (SELECT max(age) FROM users)"),
            Err(ExpressionError::Subquery { .. })
        ));
    }
}
