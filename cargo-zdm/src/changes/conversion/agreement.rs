//! Whether the sides of a row agree, where that is not built in.

use zdm_model::Column;

use super::Way;
use crate::plan::Part;

impl Way<'_> {
    /// Agreement where nothing computes old from new.
    pub(super) fn one_way(&self, up: &str) -> String {
        let new = self.ident(&self.new.name);
        let dialect = self.context.dialect;
        self.filled(format!(
            "({})",
            dialect.agrees(self.new, &new, &operand(up))
        ))
    }

    /// NULL is no value of a column that is NOT NULL in the end: it waits to be filled, whatever the conversions make of it.
    pub(super) fn filled(&self, agreement: String) -> String {
        if self.new.nullable {
            agreement
        } else {
            let new = self.ident(&self.new.name);
            format!("({new} IS NOT NULL AND {agreement})")
        }
    }

    /// Agreement of all columns that an old one is split into, by either direction.
    pub(super) fn all_agree(&self, old: &Column, split: &[Part], down: &str) -> String {
        let dialect = self.context.dialect;
        let name = |column: &Column| self.ident(&column.name);
        let there = split.iter().map(|part| {
            let column = &part.column;
            dialect.agrees(column, &name(column), &operand(&part.up))
        });
        let there: Vec<String> = there.collect();
        let back = dialect.agrees(old, &name(old), &operand(down));
        let demanded = split
            .iter()
            .map(|part| &part.column)
            .filter(|part| !part.nullable);
        // Of parts that all may be NULL, an old value that is NULL would be the same.
        let demands_old = !old.nullable && split.iter().all(|part| part.column.nullable);
        let demanded = demanded.chain(demands_old.then_some(old));
        let mut conditions: Vec<String> = demanded
            .map(|column| format!("{} IS NOT NULL", name(column)))
            .collect();
        conditions.push(format!("(({}) OR {back})", there.join(" AND ")));
        format!("({})", conditions.join(" AND "))
    }

    /// Agreement by either direction: neither side has to be able to express all of the other.
    pub(super) fn either_way(&self, up: &str, down: &[String]) -> String {
        let dialect = self.context.dialect;
        let new = self.ident(&self.new.name);
        let back: Vec<String> = self
            .old
            .iter()
            .zip(down)
            .map(|(old, down)| dialect.agrees(old, &self.ident(&old.name), &operand(down)))
            .collect();
        let back = if let [one] = &back[..] {
            one.clone()
        } else {
            format!("({})", back.join(" AND "))
        };
        let there = dialect.agrees(self.new, &new, &operand(up));
        self.kept(up, self.filled(format!("({there} OR {back})")))
    }

    /// NULL is no value of an old column that is NOT NULL either: a row that came at `complete`, where that is not asked, waits for the way
    /// back, even if `up` makes of NULL what new has.
    fn kept(&self, up: &str, agreement: String) -> String {
        let may_agree = self.new.nullable || makes_something_of_null(up);
        let demanded = self.old.iter().filter(|old| may_agree && !old.nullable);
        let demanded: Vec<String> = demanded
            .map(|old| format!("{} IS NOT NULL AND ", self.ident(&old.name)))
            .collect();
        if demanded.is_empty() {
            return agreement;
        }
        format!("({}{agreement})", demanded.concat())
    }
}

/// Whether the expression may have a value where a column in it is NULL: only of casts and operators it is known that they have none.
fn makes_something_of_null(expression: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let calls = expression.match_indices('(').any(|(at, _)| {
        let before = expression[..at].trim_end();
        let name = before.rsplit(|c| !word(c)).next().unwrap_or_default();
        let quoted = before.ends_with('"');
        quoted || !(name.is_empty() || name.eq_ignore_ascii_case("cast"))
    });
    let mut words = expression.split(|c| !word(c));
    calls
        || words.any(|word| {
            ["case", "is", "null"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        })
}

/// In parentheses unless it is a name, a call or a CASE by itself.
fn operand(expression: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"');
    let rest = expression.trim_start_matches(word);
    let is_name = rest.is_empty();
    let is_call = rest.len() < expression.len() && closes_at_end(rest);
    if is_name || is_call {
        expression.to_owned()
    } else {
        format!("({expression})")
    }
}

/// Whether the text is one pair of parentheses with what stands between them. Texts with quotes are not looked into.
fn closes_at_end(text: &str) -> bool {
    if !text.starts_with('(') || text.contains('\'') {
        return false;
    }
    let mut depth = 0_usize;
    for (position, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return position + 1 == text.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{makes_something_of_null, operand};

    #[test]
    fn operands_stand_in_parentheses_where_they_have_to() {
        for (expression, expected) in [
            ("age", "age"),
            ("\"Age\"", "\"Age\""),
            ("CAST(age AS integer)", "CAST(age AS integer)"),
            ("zdm.\"1_up\"(age)", "zdm.\"1_up\"(age)"),
            ("a || b", "(a || b)"),
            ("lower(a) || lower(b)", "(lower(a) || lower(b))"),
            ("coalesce(a, ')')", "(coalesce(a, ')'))"),
        ] {
            assert_eq!(operand(expression), expected);
        }
    }

    #[test]
    fn casts_and_operators_make_nothing_of_null() {
        for (expression, expected) in [
            ("age", false),
            ("CAST(age AS integer)", false),
            ("(a + 1) * 2 || cast (b AS text)", false),
            ("coalesce(age, 0)", true),
            ("CASE WHEN age > 3 THEN 1 ELSE 2 END", true),
            ("age IS NULL", true),
            ("zdm.\"1_up\"(age)", true),
        ] {
            assert_eq!(
                makes_something_of_null(expression),
                expected,
                "{expression}"
            );
        }
    }
}
