//! Whether an expression gives the same value whenever it is asked.
//!
//! Must not know: which columns there are.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, Value,
    visit_expressions,
};

use super::Dialect;
use super::expression::ExpressionError;

impl Dialect {
    /// The first call in an expression that gives another value at every call: of a function that always does, or of one
    /// that asks the clock when it is given no time.
    pub fn changing_in(&self, expression: &str) -> Result<Option<String>, ExpressionError> {
        let parsed = self.parse(expression)?;
        let found = visit_expressions(&parsed, |node| match node {
            Expr::Function(function) => self
                .changing(function)
                .map_or(ControlFlow::Continue(()), ControlFlow::Break),
            _ => ControlFlow::Continue(()),
        });
        Ok(match found {
            ControlFlow::Break(call) => Some(call),
            ControlFlow::Continue(()) => None,
        })
    }

    fn changing(&self, function: &Function) -> Option<String> {
        let Some(ObjectNamePart::Identifier(name)) = function.name.0.last() else {
            return None;
        };
        let name = name.value.to_lowercase();
        let functions = &self.facts.functions;
        if functions.changing.contains(&name) {
            return Some(name);
        }
        let given = functions.clock.get(&name)?;
        asks_clock(&arguments(function), *given).then(|| function.to_string())
    }
}

/// Whether a function that takes its time after `given` other arguments is given none, or `'now'` for one.
fn asks_clock(arguments: &[&Expr], given: usize) -> bool {
    let is_now = |node: &Expr| is_text(node, &["now"]);
    let says_now = |argument: &&Expr| {
        let found = visit_expressions(*argument, |node| {
            if is_now(node) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        found.is_break()
    };
    match arguments.get(given) {
        None => true,
        // The modifier alone stands for now (SQLite manual, "Date And Time Functions", Time Values).
        Some(time) => is_text(time, &["subsec", "subsecond"]) || arguments.iter().any(says_now),
    }
}

fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    let expressions = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression),
        _ => None,
    });
    expressions.collect()
}

fn is_text(node: &Expr, texts: &[&str]) -> bool {
    let Expr::Value(value) = node else {
        return false;
    };
    matches!(&value.value, Value::SingleQuotedString(text) if texts.iter().any(|known| text.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changing(dialect: &str, expression: &str) -> Option<String> {
        let dialect = Dialect::named(dialect).expect(dialect);
        dialect.changing_in(expression).expect(expression)
    }

    #[test]
    fn what_moves_in_time_is_named() {
        for (expression, call) in [
            ("datetime('now')", "datetime('now')"),
            (
                "coalesce(at, DATE( 'NOW' , '-1 day'))",
                "DATE('NOW', '-1 day')",
            ),
            ("time()", "time()"),
            ("julianday('now') - julianday(at)", "julianday('now')"),
            ("strftime('%Y', 'now')", "strftime('%Y', 'now')"),
            ("strftime('%s')", "strftime('%s')"),
            ("unixepoch()", "unixepoch()"),
            ("unixepoch('subsec')", "unixepoch('subsec')"),
            (
                "datetime(coalesce(at, 'now'))",
                "datetime(coalesce(at, 'now'))",
            ),
            ("timediff('now', born)", "timediff('now', born)"),
            ("Current_Timestamp", "current_timestamp"),
            ("current_date || ''", "current_date"),
            ("current_time", "current_time"),
            ("abs(random())", "random"),
        ] {
            assert_eq!(changing("sqlite", expression).as_deref(), Some(call));
        }
        for (expression, call) in [
            ("age(born)", "age(born)"),
            ("now() - born", "now"),
            ("current_date - born", "current_date"),
        ] {
            assert_eq!(changing("postgres", expression).as_deref(), Some(call));
        }
    }

    #[test]
    fn times_of_the_row_stand_still() {
        for expression in [
            "datetime(at)",
            "datetime(at, '+1 day', 'subsec')",
            "date('2024-01-01')",
            "strftime('%Y', at)",
            "unixepoch(at, 'unixepoch')",
            "timediff(at, born)",
            "CASE WHEN state = 'now' THEN datetime(at) ELSE 'now' END",
        ] {
            assert_eq!(changing("sqlite", expression), None, "{expression}");
        }
        assert_eq!(changing("postgres", "age(at, born)"), None);
    }
}
