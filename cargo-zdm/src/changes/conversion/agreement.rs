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
        let demanded = split.iter().filter(|part| !part.column.nullable);
        let mut conditions: Vec<String> = demanded
            .map(|part| format!("{} IS NOT NULL", name(&part.column)))
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
        self.filled(format!("({there} OR {back})"))
    }
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
    use super::operand;

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
}
