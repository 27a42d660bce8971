//! An element of an index or of an exclusion constraint, as a statement holds it.
//!
//! PostgreSQL takes a column or a call as it is; any other expression "must be written with surrounding parentheses" (manual,
//! "CREATE INDEX"). The text itself is never changed.

use minijinja::Environment;
use sqlparser::ast::{CastKind, Expr};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

use super::expression::byte_of;
use super::postgres;

/// `elements`, a comma-separated list, as a filter of the templates.
pub(super) fn install(templates: &mut Environment<'static>, parenthesized: bool) {
    templates.add_filter("elements", move |elements: Vec<String>| {
        if !parenthesized {
            return elements.join(", ");
        }
        let spelled = elements.iter().map(|element| in_parentheses(element));
        spelled.collect::<Vec<_>>().join(", ")
    });
}

/// The element with its expression in parentheses, where that is more than a column or a call; operator class, order and operator
/// stay behind it. What does not parse stays as it is.
fn in_parentheses(element: &str) -> String {
    let grammar = PostgreSqlDialect {};
    let Ok(tokens) = Tokenizer::new(&grammar, element).tokenize_with_location() else {
        return element.to_owned();
    };
    let tokens = postgres::understood(tokens);
    let mut parser = Parser::new(&grammar).with_tokens_with_locations(tokens);
    match parser.parse_expr() {
        Ok(expression) if !stands_alone(&expression) => {
            let end = byte_of(element, parser.peek_token().span.start);
            let expression = element[..end].trim_end();
            format!("({expression}){}", &element[expression.len()..])
        }
        _ => element.to_owned(),
    }
}

/// A column, a call, or what has its parentheses.
fn stands_alone(expression: &Expr) -> bool {
    match expression {
        Expr::Identifier(_)
        | Expr::Nested(_)
        | Expr::Function(_)
        | Expr::Extract { .. }
        | Expr::Position { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Overlay { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. } => true,
        Expr::Cast { kind, .. } => *kind == CastKind::Cast,
        Expr::Collate { expr, .. } => stands_alone(expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::in_parentheses;

    #[test]
    fn what_is_no_column_and_no_call_is_put_in_parentheses() {
        for (written, spelled) in [
            ("country = 'x'", "(country = 'x')"),
            ("age + 1 DESC NULLS LAST", "(age + 1) DESC NULLS LAST"),
            (
                "name || 'ä' text_pattern_ops DESC",
                "(name || 'ä') text_pattern_ops DESC",
            ),
            (
                "name || city COLLATE \"C\" DESC",
                "(name || city COLLATE \"C\") DESC",
            ),
            ("born::date", "(born::date)"),
            ("body ->> 'a'", "(body ->> 'a')"),
            ("(age + 1) * 2", "((age + 1) * 2)"),
            ("CASE WHEN ok THEN 1 END", "(CASE WHEN ok THEN 1 END)"),
            ("NOT ok", "(NOT ok)"),
            ("age + 1 WITH =", "(age + 1) WITH ="),
        ] {
            assert_eq!(in_parentheses(written), spelled);
        }
    }

    #[test]
    fn what_stands_alone_stays_as_it_is() {
        for written in [
            "country",
            "\"Country\" DESC",
            "name COLLATE \"C\" text_pattern_ops",
            "(country = 'x')",
            "(age + 1) DESC",
            "(name || city) COLLATE \"C\" DESC",
            "((age + 1))",
            "lower(name) COLLATE \"C\" text_pattern_ops DESC",
            "coalesce(name, city)",
            "CAST(born AS date)",
            "EXTRACT(year FROM born)",
            "TRIM(BOTH FROM name) DESC",
            "substring(name FROM 1 FOR 2)",
            "room WITH =",
            "int4range(age, age, '[]') WITH &&",
            "what is this",
        ] {
            assert_eq!(in_parentheses(written), written);
        }
    }
}
