//! What an expression over the columns of a single row may not hold.
//!
//! Must not know: which columns there are.

use sqlparser::ast::{Expr, Function, FunctionArguments, Value};

use super::expression::ExpressionError;

/// Aggregate functions of the databases. With more than one argument `min` and `max` are none on SQLite.
const AGGREGATES: [&str; 22] = [
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "group_concat",
    "json_agg",
    "json_group_array",
    "json_group_object",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "stddev",
    "string_agg",
    "sum",
    "total",
    "variance",
];

/// Why a part of an expression cannot stand in one over the columns of a single row.
pub(super) fn not_of_the_row(expression: &str, node: &Expr) -> Option<ExpressionError> {
    let expression = || expression.to_owned();
    match node {
        Expr::CompoundIdentifier(parts) => Some(ExpressionError::Qualified {
            expression: expression(),
            qualified: parts
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("."),
            bare: parts.last().map(ToString::to_string).unwrap_or_default(),
        }),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(parameter) => Some(ExpressionError::Parameter {
                expression: expression(),
                parameter: parameter.clone(),
            }),
            _ => None,
        },
        Expr::Function(function) => over_rows(function).then(|| ExpressionError::OverRows {
            expression: expression(),
            function: function.name.to_string(),
        }),
        _ => None,
    }
}

fn over_rows(function: &Function) -> bool {
    let arguments = match &function.args {
        FunctionArguments::List(list) => list.args.len(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => 0,
    };
    let name = function.name.to_string().to_lowercase();
    let scalar = matches!(name.as_str(), "max" | "min") && arguments > 1;
    function.over.is_some()
        || function.filter.is_some()
        || !function.within_group.is_empty()
        || (AGGREGATES.contains(&name.as_str()) && !scalar)
}
