//! Names that a model leaves out: its table's, its indexes', its foreign keys'.
//!
//! Comes in: Rust and column names. Goes out: database names.
//! Must not know: any database's quoting.

use heck::ToSnakeCase;

/// The longest name that every database keeps whole: PostgreSQL cuts at 63 bytes without a word.
const LONGEST: usize = 63;

/// The table of a struct: its name in snake_case, its last word in the plural.
///
/// The plural follows three rules: `y` after a consonant becomes `ies`; `s`, `x`, `z`, `ch`, `sh` take `es`; all else
/// takes `s`. Irregular words (`Person`) get the regular form, so name such tables with `table = "people"`.
pub fn table_of(ident: &str) -> String {
    let singular = ident.to_snake_case();
    let before_y = singular
        .strip_suffix('y')
        .filter(|stem| stem.ends_with(|c: char| !"aeiou".contains(c)));
    if let Some(stem) = before_y {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"]
        .iter()
        .any(|ending| singular.ends_with(ending));
    format!("{singular}{}", if hisses { "es" } else { "s" })
}

/// The name of an index or a constraint that is given none: `idx_users_email`, `uq_users_email`, `fk_users_team_id`.
pub fn constraint_name(prefix: &str, table: &str, columns: &[String]) -> String {
    format!("{prefix}_{table}_{}", columns.join("_"))
}

/// The name that PostgreSQL gives a primary key.
pub fn primary_key_name(table: &str) -> String {
    format!("{table}_pkey")
}

/// A name for what stands beside something of this name until it takes its place.
pub fn beside(name: &str) -> String {
    with_ending(name, "_new")
}

/// A name for what had this name until something else took it.
pub fn released(name: &str) -> String {
    with_ending(name, "_old")
}

fn with_ending(name: &str, ending: &str) -> String {
    let mut stem = name;
    while stem.len() + ending.len() > LONGEST {
        let end = stem.char_indices().last().map_or(0, |(at, _)| at);
        stem = &stem[..end];
    }
    format!("{stem}{ending}")
}

/// What to say about a name that a database would cut.
pub(crate) fn too_long(name: &str) -> Option<String> {
    (name.len() > LONGEST).then(|| {
        format!(
            "`{name}` has {} bytes, and PostgreSQL silently cuts names at {LONGEST}: give a shorter one",
            name.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{beside, table_of};

    #[test]
    fn a_name_beside_another_is_no_longer_than_names_may_be() {
        assert_eq!(beside("by_name"), "by_name_new");
        let long = beside(&"ä".repeat(31));
        assert_eq!((long.len(), long.ends_with("ä_new")), (62, true));
    }

    #[test]
    fn tables_are_plural() {
        for (ident, table) in [
            ("User", "users"),
            ("OrderEntry", "order_entries"),
            ("Day", "days"),
            ("Address", "addresses"),
            ("Box", "boxes"),
            ("Branch", "branches"),
            ("HTTPRequest", "http_requests"),
        ] {
            assert_eq!(table_of(ident), table);
        }
    }
}
