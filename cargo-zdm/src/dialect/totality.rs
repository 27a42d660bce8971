//! Whether an expression gives a value for every row, or some value makes it fail.
//!
//! Must not know: which columns there are, and of which type.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, FunctionArguments, UnaryOperator, visit_expressions,
};

use super::Dialect;
use super::expression::{ExpressionError, folded};

impl Dialect {
    /// The first part of an expression, casts aside, that some value may make fail: a function that is not known to
    /// take every value, or arithmetic where the database refuses an overflow.
    pub fn may_fail(&self, expression: &str) -> Result<Option<String>, ExpressionError> {
        let parsed = self.parse(expression)?;
        let found = visit_expressions(&parsed, |node| {
            self.fails(node)
                .map_or(ControlFlow::Continue(()), ControlFlow::Break)
        });
        Ok(match found {
            ControlFlow::Break(part) => Some(part),
            ControlFlow::Continue(()) => None,
        })
    }

    fn fails(&self, node: &Expr) -> Option<String> {
        match node {
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                let total = self.facts.functions.total.contains(&name);
                (!total).then(|| format!("{}()", function.name))
            }
            Expr::BinaryOp { op, right, .. } if is_arithmetic(op) => {
                let fails = self.facts.capabilities.arithmetic_fails;
                fails.then(|| format!("{op} {right}"))
            }
            Expr::BinaryOp { op, right, .. } if is_pattern(op) => {
                let constant = matches!(**right, Expr::Value(_));
                (!constant).then(|| format!("{op} {right}"))
            }
            Expr::AtTimeZone { time_zone, .. } => {
                let constant = matches!(**time_zone, Expr::Value(_));
                (!constant).then(|| format!("AT TIME ZONE {time_zone}"))
            }
            _ => None,
        }
    }

    /// Whether an expression is a literal, with or without a sign, or a word that the language gives a value.
    pub(super) fn stands_bare(&self, expression: &str) -> bool {
        fn is_bare(parsed: &Expr) -> bool {
            match parsed {
                Expr::Value(_) | Expr::Identifier(_) => true,
                Expr::UnaryOp { expr, .. } => matches!(**expr, Expr::Value(_)),
                Expr::Function(function) => function.args == FunctionArguments::None,
                _ => false,
            }
        }
        self.parse(expression).is_ok_and(|parsed| is_bare(&parsed))
    }

    /// Whether an expression has operators that are written like the words behind a default: `NOT`, `IN`, `AT TIME ZONE`
    /// (PostgreSQL's grammar, `b_expr`).
    pub(super) fn runs_on(&self, expression: &str) -> bool {
        let Ok(parsed) = self.parse(expression) else {
            return false;
        };
        // The parser is not shown collations.
        let words: Vec<&str> = expression.split_whitespace().collect();
        let collated = words
            .iter()
            .any(|word| word.eq_ignore_ascii_case("collate"));
        let nested = matches!(parsed, Expr::Nested(_));
        let found = visit_expressions(&parsed, |node| {
            let runs_on = match node {
                Expr::AtTimeZone { .. }
                | Expr::Between { .. }
                | Expr::InList { .. }
                | Expr::Like { .. }
                | Expr::ILike { .. }
                | Expr::SimilarTo { .. }
                | Expr::IsNull(_)
                | Expr::IsNotNull(_)
                | Expr::IsTrue(_)
                | Expr::IsNotTrue(_)
                | Expr::IsFalse(_)
                | Expr::IsNotFalse(_)
                | Expr::IsUnknown(_)
                | Expr::IsNotUnknown(_)
                | Expr::IsDistinctFrom(..)
                | Expr::IsNotDistinctFrom(..)
                | Expr::AnyOp { .. }
                | Expr::AllOp { .. } => true,
                Expr::UnaryOp { op, .. } => *op == UnaryOperator::Not,
                Expr::BinaryOp { op, .. } => {
                    matches!(op, BinaryOperator::And | BinaryOperator::Or)
                }
                _ => false,
            };
            if runs_on {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        !nested && (collated || found.is_break())
    }

    /// Whether an expression shows by itself that it has a type: a cast to it, or a column that is declared with it.
    pub fn has_type(
        &self,
        expression: &str,
        wanted: &str,
        columns: &[(String, String)],
    ) -> Result<bool, ExpressionError> {
        Ok(match self.parse(expression)? {
            Expr::Cast { data_type, .. } => data_type.to_string().eq_ignore_ascii_case(wanted),
            Expr::Identifier(ident) => columns.iter().any(|(name, declared)| {
                *name == folded(&ident) && declared.eq_ignore_ascii_case(wanted)
            }),
            _ => false,
        })
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
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo | Op::PGExp
    )
}

fn is_pattern(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_stand_in_parentheses_where_the_grammar_needs_it() {
        let postgres = Dialect::named("postgres").unwrap();
        for bare in [
            "now()",
            "'a'::text",
            "-1",
            "now() + '1 day'::interval",
            "(a IN ('b'))",
            "'{}'::text[]",
        ] {
            assert_eq!(postgres.default_of(bare), bare);
        }
        for running in [
            "now() AT TIME ZONE 'utc'",
            "NOT false",
            "'a' IN ('b')",
            "'a' COLLATE \"C\"",
            "(a) IS NULL OR (b)",
        ] {
            assert_eq!(postgres.default_of(running), format!("({running})"));
        }
    }

    #[test]
    fn what_some_value_makes_fail_is_named() {
        let fails = |name: &str, expression: &str| {
            let dialect = Dialect::named(name).expect(name);
            dialect.may_fail(expression).expect(expression)
        };
        for total in [
            "lower(trim(name)) || ' ' || coalesce(last, '')",
            "CASE WHEN name ~ '^a' THEN upper(name) ELSE NULL END",
            "at AT TIME ZONE 'UTC'",
            "prefs ->> 'mood'",
        ] {
            assert_eq!(fails("postgres", total), None, "{total}");
        }
        for (expression, part) in [
            ("to_date(born, 'YYYY-MM-DD')", "to_date()"),
            ("decode(hash, 'hex')", "decode()"),
            ("n / d", "/ d"),
            ("cents * 100", "* 100"),
            ("name ~ pattern", "~ pattern"),
            ("at AT TIME ZONE zone", "AT TIME ZONE zone"),
            ("zdm_test.mine(name)", "zdm_test.mine()"),
        ] {
            assert_eq!(fails("postgres", expression).as_deref(), Some(part));
        }
        assert_eq!(fails("sqlite", "n / d + 1"), None);
        assert_eq!(
            fails("sqlite", "json_extract(prefs, '$.a')").as_deref(),
            Some("json_extract()")
        );
    }
}
