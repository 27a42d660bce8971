//! Whether two expressions are one, though a database spells it otherwise than it was given.
//!
//! PostgreSQL keeps an expression as a tree and prints it with every cast that it added (its source, `ruleutils.c`): `IN` as
//! `= ANY (ARRAY[…])`, `BETWEEN` as two comparisons, `LIKE` as `~~`. What is called the same here is the same; what is not may
//! still be.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, IndexColumn,
    OrderBySort, UnaryOperator, Value,
};
use sqlparser::parser::Parser;

use super::Dialect;
use super::default::unwrapped;
use super::expression::folded;

/// An expression without its spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Text(String),
    Number(String),
    Word(String),
    Cast(Box<Node>, String),
    Of(String, Vec<Node>),
}

impl Dialect {
    /// Both mean the same, as far as their text tells.
    pub fn same_expression(&self, left: &str, right: &str) -> bool {
        let read = |text: &str| self.meant(text, Parser::parse_expr);
        self.words(unwrapped(left)) == self.words(unwrapped(right))
            || match (read(left), read(right)) {
                (Some(left), Some(right)) => alike(&node(&left), &node(&right)),
                _ => false,
            }
    }

    /// The same for an element of an index: an expression, then perhaps an operator class and an order.
    pub fn same_element(&self, left: &str, right: &str) -> bool {
        let read = |text: &str| self.meant(text, Parser::parse_create_index_expr);
        self.words(left) == self.words(right)
            || match (read(left), read(right)) {
                (Some(left), Some(right)) => {
                    order(&left) == order(&right)
                        && left.operator_class == right.operator_class
                        && alike(&node(&left.column.expr), &node(&right.column.expr))
                }
                _ => false,
            }
    }
}

/// Whether an element descends, and whether NULL comes first.
fn order(element: &IndexColumn) -> (bool, bool) {
    let options = &element.column.options;
    let descends = options.sort == Some(OrderBySort::Desc);
    (descends, options.nulls_first.unwrap_or(descends))
}

fn alike(left: &Node, right: &Node) -> bool {
    match (left, right) {
        (Node::Cast(left, one), Node::Cast(right, other)) => one == other && alike(left, right),
        (Node::Cast(inner, to), other) | (other, Node::Cast(inner, to)) => {
            match (&**inner, other) {
                // A literal becomes what it is compared with, and a text of digits a number.
                (Node::Text(_) | Node::Number(_), Node::Text(_))
                | (Node::Number(_), Node::Number(_)) => **inner == *other,
                (Node::Text(text), Node::Number(number)) => text == number && is_number(to),
                // `varchar` has no comparison of its own and is taken for `text`.
                (Node::Word(_), other) => to == "text" && **inner == *other,
                _ => false,
            }
        }
        (Node::Of(one, left), Node::Of(other, right)) => {
            one == other
                && left.len() == right.len()
                && std::iter::zip(left, right).all(|(left, right)| alike(left, right))
        }
        _ => left == right,
    }
}

fn is_number(sql_type: &str) -> bool {
    ["int", "numeric", "real", "double"]
        .iter()
        .any(|word| sql_type.contains(word))
}

fn node(expression: &Expr) -> Node {
    let of = |name: &str, parts: &[&Expr]| {
        Node::Of(
            name.to_owned(),
            parts.iter().map(|part| node(part)).collect(),
        )
    };
    match expression {
        Expr::Nested(inner) => node(inner),
        Expr::Identifier(ident) => Node::Word(folded(ident)),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Node::Text(text.clone()),
            Value::Number(number, _) => Node::Number(number.clone()),
            other => Node::Word(other.to_string().to_lowercase()),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match node(expr) {
            Node::Number(number) => Node::Number(format!("-{number}")),
            inner => Node::Of("-".to_owned(), vec![inner]),
        },
        Expr::UnaryOp { op, expr } => of(&op.to_string(), &[expr]),
        Expr::Cast {
            expr, data_type, ..
        } => Node::Cast(Box::new(node(expr)), data_type.to_string().to_lowercase()),
        Expr::TypedString(typed) => Node::Cast(
            Box::new(node(&Expr::Value(typed.value.clone()))),
            typed.data_type.to_string().to_lowercase(),
        ),
        Expr::BinaryOp {
            left,
            op: op @ (BinaryOperator::And | BinaryOperator::Or),
            right,
        } => flat(&op.to_string(), left, right),
        Expr::BinaryOp { left, op, right } => of(&op.to_string(), &[left, right]),
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => between(node(expr), *negated, node(low), node(high)),
        Expr::InList {
            expr,
            list,
            negated,
        } => among(expr, list, *negated),
        Expr::AnyOp {
            left,
            compare_op: BinaryOperator::Eq,
            right,
            ..
        } => match array(right) {
            Some(list) => among(left, list, false),
            None => of("= ANY", &[left, right]),
        },
        Expr::AllOp {
            left,
            compare_op: BinaryOperator::NotEq,
            right,
        } => match array(right) {
            Some(list) => among(left, list, true),
            None => of("<> ALL", &[left, right]),
        },
        Expr::Like {
            negated,
            expr,
            pattern,
            escape_char: None,
            any: false,
        } => of(if *negated { "!~~" } else { "~~" }, &[expr, pattern]),
        Expr::ILike {
            negated,
            expr,
            pattern,
            escape_char: None,
            any: false,
        } => of(if *negated { "!~~*" } else { "~~*" }, &[expr, pattern]),
        Expr::Collate { expr, collation } => of(&format!("COLLATE {collation}"), &[expr]),
        Expr::Trim {
            expr,
            trim_where,
            trim_what,
            trim_characters: None,
        } => {
            let side = trim_where.map_or_else(|| "BOTH".to_owned(), |side| side.to_string());
            let parts: Vec<&Expr> = trim_what.as_deref().into_iter().chain([&**expr]).collect();
            of(&format!("TRIM {side}"), &parts)
        }
        Expr::IsNull(inner) => of("IS NULL", &[inner]),
        Expr::IsNotNull(inner) => of("IS NOT NULL", &[inner]),
        Expr::IsTrue(inner) => of("IS TRUE", &[inner]),
        Expr::IsFalse(inner) => of("IS FALSE", &[inner]),
        Expr::Function(function) => {
            call(function).unwrap_or_else(|| Node::Word(function.to_string()))
        }
        other => Node::Word(other.to_string()),
    }
}

/// `a AND (b AND c)` has three parts.
fn flat(name: &str, left: &Expr, right: &Expr) -> Node {
    let mut parts = Vec::new();
    for side in [left, right] {
        match node(side) {
            Node::Of(inner, more) if inner == name => parts.extend(more),
            other => parts.push(other),
        }
    }
    Node::Of(name.to_owned(), parts)
}

/// Two comparisons.
fn between(expr: Node, negated: bool, low: Node, high: Node) -> Node {
    let (name, first, second) = if negated {
        ("OR", "<", ">")
    } else {
        ("AND", ">=", "<=")
    };
    let low = Node::Of(first.to_owned(), vec![expr.clone(), low]);
    let high = Node::Of(second.to_owned(), vec![expr, high]);
    Node::Of(name.to_owned(), vec![low, high])
}

fn among(expr: &Expr, list: &[Expr], negated: bool) -> Node {
    let name = if negated { "NOT IN" } else { "IN" };
    let parts = std::iter::once(node(expr)).chain(list.iter().map(node));
    Node::Of(name.to_owned(), parts.collect())
}

/// The elements of an array, through a cast of the whole.
fn array(expression: &Expr) -> Option<&[Expr]> {
    match expression {
        Expr::Nested(inner) => array(inner),
        Expr::Cast { expr, .. } => array(expr),
        Expr::Array(array) => Some(&array.elem),
        _ => None,
    }
}

/// A call of a function with nothing but its arguments.
fn call(function: &Function) -> Option<Node> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let plain = list.duplicate_treatment.is_none()
        && list.clauses.is_empty()
        && function.filter.is_none()
        && function.over.is_none()
        && function.within_group.is_empty();
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(node(expr)),
        _ => None,
    });
    let arguments = arguments.collect::<Option<Vec<_>>>().filter(|_| plain)?;
    Some(Node::Of(
        function.name.to_string().to_lowercase(),
        arguments,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_prints_is_what_was_declared() {
        let postgres = Dialect::named("postgres").unwrap();
        for (declared, printed) in [
            ("age > 0", "(age > 0)"),
            (
                "age > 0 AND age < 10 AND ok",
                "((age > 0) AND (age < 10) AND ok)",
            ),
            ("name <> ''", "((name)::text <> ''::text)"),
            (
                "kind IN ('a', 'b')",
                "(kind = ANY (ARRAY['a'::text, 'b'::text]))",
            ),
            (
                "kind IN ('a', 'b')",
                "((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            ),
            ("kind NOT IN ('a')", "(kind <> ALL (ARRAY['a'::text]))"),
            ("age BETWEEN 1 AND 5", "((age >= 1) AND (age <= 5))"),
            ("name LIKE 'a%'", "(name ~~ 'a%'::text)"),
            ("age != -1", "(age <> '-1'::integer)"),
            ("lower(name) = name", "(lower((name)::text) = (name)::text)"),
            ("born > DATE '2024-01-01'", "(born > '2024-01-01'::date)"),
            ("born > '2024-01-01'", "(born > '2024-01-01'::date)"),
            ("CAST(a AS integer) = 1", "((a)::integer = 1)"),
            ("trim(name) <> ''", "(TRIM(BOTH FROM name) <> ''::text)"),
            (
                "jsonb_extract_path_text(body, 'a', lower(b)) <> ''",
                "(jsonb_extract_path_text(body, VARIADIC ARRAY['a'::text, lower(b)]) <> ''::text)",
            ),
            (
                "trim(leading from name) = ltrim(name)",
                "(ltrim(name) = TRIM(LEADING FROM name))",
            ),
            (
                "name COLLATE \"C\" < 'a'",
                "((name COLLATE \"C\") < 'a'::text)",
            ),
        ] {
            assert!(postgres.same_expression(declared, printed), "{declared}");
        }
    }

    #[test]
    fn what_differs_is_not_called_the_same() {
        let postgres = Dialect::named("postgres").unwrap();
        for (declared, printed) in [
            ("age > 0", "(age >= 0)"),
            ("age > 0", "(age > 1)"),
            ("a AND b OR c", "(a AND (b OR c))"),
            ("name <> 'A'", "((name)::text <> 'a'::text)"),
            (
                "a / 2 > 1",
                "(((a)::numeric / (2)::numeric) > (1)::numeric)",
            ),
            ("\"A\" = 1", "(a = 1)"),
            (
                "kind IN ('a', 'b')",
                "(kind = ANY (ARRAY['b'::text, 'a'::text]))",
            ),
            (
                "born > DATE '2024-01-01'",
                "(born > '2024-01-01'::timestamp)",
            ),
            ("a = '1'", "(a = 1)"),
            ("name < 'a'", "(name < ('a'::text COLLATE \"C\"))"),
            ("trim(name) = name", "(TRIM(LEADING FROM name) = name)"),
            (
                "concat_ws(',', 'a') = b",
                "(concat_ws(','::text, VARIADIC ARRAY['c'::text]) = b)",
            ),
        ] {
            assert!(!postgres.same_expression(declared, printed), "{declared}");
        }
    }

    #[test]
    fn of_sqlite_nothing_is_left_out() {
        let sqlite = Dialect::named("sqlite").unwrap();
        assert!(sqlite.same_expression("a NOT GLOB 'x*'", "(a  not glob 'x*')"));
        assert!(!sqlite.same_expression("a NOT GLOB 'x*'", "a GLOB 'x*'"));
        assert!(!sqlite.same_expression("a IS NOT b", "a IS b"));
        assert!(!sqlite.same_expression("a IS b", "a = b"));
    }

    #[test]
    fn an_element_is_compared_with_its_order() {
        let postgres = Dialect::named("postgres").unwrap();
        for (declared, printed) in [
            ("lower(email)", "lower((email)::text)"),
            ("level desc", "level DESC NULLS FIRST"),
            ("level ASC", "level"),
            ("email text_pattern_ops", "email text_pattern_ops"),
            ("(length(email) + 1) DESC", "((length(email) + 1)) DESC"),
        ] {
            assert!(postgres.same_element(declared, printed), "{declared}");
        }
        for (declared, printed) in [
            ("level", "level DESC"),
            ("level DESC", "level DESC NULLS LAST"),
            ("email", "email text_pattern_ops"),
            ("email", "email COLLATE \"C\""),
            ("lower(email)", "upper(email)"),
        ] {
            assert!(!postgres.same_element(declared, printed), "{declared}");
        }
    }
}
