//! What an expression names beside columns and functions: texts, and the types that it casts to.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{ArrayElemTypeDef, DataType, Expr, Ident, ObjectNamePart, visit_expressions};
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Dialect;
use super::expression::{byte_range, folded, replaced};

impl Dialect {
    /// The texts that stand in an expression.
    pub(crate) fn texts_in(&self, expression: &str) -> BTreeSet<String> {
        let tokens = Tokenizer::new(self.grammar(), expression).tokenize();
        let texts = tokens
            .into_iter()
            .flatten()
            .filter_map(|token| match token {
                Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Some(text),
                _ => None,
            });
        texts.collect()
    }

    /// The expression, or element of an index, with its casts to one type as casts to another; every other byte stays, and so
    /// does all of what does not parse.
    pub(crate) fn retyped(&self, expression: &str, from: &str, to: &str) -> String {
        let parsed = self.parse(expression);
        let Ok(parsed) = parsed.or_else(|_| self.parse_element(expression)) else {
            return expression.to_owned();
        };
        let to = self.relation(to);
        let mut places: Vec<(Range<usize>, String)> = Vec::new();
        let _: ControlFlow<()> = visit_expressions(&parsed, |node| {
            if let Expr::Cast { data_type, .. } = node
                && let Some(name) = own_name(data_type)
                && name
                    .iter()
                    .map(|part| folded(part))
                    .collect::<Vec<_>>()
                    .join(".")
                    == from
                && let [first, .., last] | [first @ last] = name[..]
            {
                let place = byte_range(expression, first).start..byte_range(expression, last).end;
                places.push((place, to.clone()));
            }
            ControlFlow::Continue(())
        });
        replaced(expression, places)
    }
}

/// The name of a type of the user's own, or of an array of it.
fn own_name(data_type: &DataType) -> Option<Vec<&Ident>> {
    match data_type {
        DataType::Custom(name, _) => {
            let parts = name.0.iter();
            let parts = parts.map(|part| match part {
                ObjectNamePart::Identifier(name) => Some(name),
                ObjectNamePart::Function(_) => None,
            });
            parts.collect()
        }
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _)
            | ArrayElemTypeDef::AngleBracket(element)
            | ArrayElemTypeDef::Parenthesis(element)
            | ArrayElemTypeDef::Qualified(element, _),
        ) => own_name(element),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn casts_name_another_type_and_texts_stay() {
        let dialect = Dialect::named("postgres").expect("a dialect");
        for (expression, expected) in [
            (
                "mood = 'mood'::mood AND CAST(a AS Mood) <> b::\"Mood\"",
                "mood = 'mood'::mood_new AND CAST(a AS mood_new) <> b::\"Mood\"",
            ),
            (
                "mood = ANY (ARRAY['a'::mood, 'b'::mood]::mood[])",
                "mood = ANY (ARRAY['a'::mood_new, 'b'::mood_new]::mood_new[])",
            ),
            ("(mood = 'a'::mood) DESC", "(mood = 'a'::mood_new) DESC"),
            ("mood = 'a'::billing.mood", "mood = 'a'::billing.mood"),
            ("lower(mood", "lower(mood"),
        ] {
            assert_eq!(dialect.retyped(expression, "mood", "mood_new"), expected);
        }
        assert_eq!(
            dialect.retyped("a::billing.Mood[]", "billing.mood", "billing.mood_new"),
            "a::billing.mood_new[]"
        );
        let texts = dialect.texts_in("mood IN ('sad', 'it''s') OR \"glad\"");
        assert_eq!(texts.into_iter().collect::<Vec<_>>(), ["it's", "sad"]);
    }
}
