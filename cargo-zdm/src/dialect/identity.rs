//! Whether two columns hold the same value: equal is not always the same.

use zdm_model::{Column, LogicalType};

use super::Dialect;

impl Dialect {
    /// The condition under which a copy is the same as what it was copied from, to the byte; it never fails.
    pub fn identical(&self, old: &Column, new: &Column) -> String {
        let (from, to) = (self.ident(&old.name), self.ident(&new.name));
        if [old, new].into_iter().all(|column| self.is_exact(column)) {
            format!("{to} IS NOT DISTINCT FROM {from}")
        } else {
            let otherwise = &self.facts.identity.otherwise;
            otherwise.replace("{old}", &from).replace("{new}", &to)
        }
    }

    /// Whether two values of a column's type are the same bytes, whatever a session is set to: what a trigger goes by.
    pub fn same_bytes(&self, column: &Column, from: &str, to: &str) -> String {
        if self.is_exact(column) {
            format!("{to} IS NOT DISTINCT FROM {from}")
        } else {
            let image = &self.facts.identity.image;
            image.replace("{old}", from).replace("{new}", to)
        }
    }

    /// The condition under which a value of the column is this expression's. As text, where the type has no equality or one
    /// that takes other texts for the same; a type that writes a value in one way only is not asked for how it is written.
    pub fn agrees(&self, column: &Column, left: &str, right: &str) -> String {
        let identity = &self.facts.identity;
        let declared = self.type_of(column);
        if has_collation(&declared) || identity.as_text.contains(&unbounded(&declared)) {
            let otherwise = identity.otherwise.replace("{old}", right);
            otherwise.replace("{new}", left)
        } else {
            format!("{left} IS NOT DISTINCT FROM {right}")
        }
    }

    /// The column's type where none may name a collation.
    pub fn uncollated_type_of(&self, column: &Column) -> String {
        uncollated(&self.type_of(column)).to_owned()
    }

    /// Values of the column that the database calls equal are the same bytes. What a field of a type of the user's own
    /// writes is not known.
    fn is_exact(&self, column: &Column) -> bool {
        let declared = self.type_of(column);
        if column.logical_type == LogicalType::Enum {
            return true;
        }
        column.logical_type != LogicalType::Custom
            && !has_collation(&declared)
            && self.facts.identity.exact.contains(&unbounded(&declared))
    }
}

fn has_collation(sql_type: &str) -> bool {
    uncollated(sql_type) != sql_type.trim()
}

fn uncollated(sql_type: &str) -> &str {
    let collation = sql_type.to_ascii_lowercase().find(" collate ");
    sql_type[..collation.unwrap_or(sql_type.len())].trim()
}

/// A type without its length, precision and collation, in lower case; a quoted name stays as it is.
pub(crate) fn unbounded(sql_type: &str) -> String {
    let sql_type = uncollated(sql_type);
    if sql_type.contains('"') {
        return sql_type.to_owned();
    }
    // `char` and `bit` of an array's elements are of one place too.
    if let Some(element) = sql_type.strip_suffix("[]") {
        return format!("{}[]", unbounded(element));
    }
    let lower = sql_type.to_lowercase();
    let bare = match (lower.find('('), lower.find(')')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", lower[..open].trim_end(), &lower[close + 1..])
        }
        _ => lower,
    };
    match bare.as_str() {
        "varchar" | "character varying" => "text".to_owned(),
        // `char` alone is `char(1)`; a `bpchar` has no length, and compares as the column does.
        "char" | "character" => "bpchar".to_owned(),
        // `bit` alone is `bit(1)`, and a cast to it cuts.
        "bit" => "bit varying".to_owned(),
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_taken_off() {
        assert_eq!(unbounded("VARCHAR(255)"), "text");
        assert_eq!(unbounded("numeric(10, 2)"), "numeric");
        assert_eq!(
            unbounded("timestamp(3) with time zone"),
            "timestamp with time zone"
        );
        assert_eq!(unbounded("citext"), "citext");
        assert_eq!(unbounded("CHAR(4)"), "bpchar");
        assert_eq!(unbounded("varchar(9) COLLATE \"de_DE\""), "text");
        assert_eq!(unbounded("\"Mood\""), "\"Mood\"");
        assert_eq!(unbounded("bit(8)"), "bit varying");
        assert_eq!(unbounded("character(4)[]"), "bpchar[]");
        assert_eq!(unbounded("timestamp(3)[]"), "timestamp[]");
    }
}
