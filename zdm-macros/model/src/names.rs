//! Names that a model leaves out: its table's, its indexes', its foreign keys'.
//!
//! Comes in: Rust and column names. Goes out: database names.
//! Must not know: any database's quoting.

use heck::ToSnakeCase;

/// The longest name that every database keeps whole: PostgreSQL cuts at 63 bytes without a word.
pub const LONGEST: usize = 63;

/// A name in a schema of its own: `billing.invoices`. Without one it is found by the connection's search path.
pub fn in_schema(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{schema}.{name}"),
        None => name.to_owned(),
    }
}

/// The schema that a table or an enum names as its own.
pub fn schema_of(name: &str) -> Option<&str> {
    name.split_once('.').map(|(schema, _)| schema)
}

/// What a table or an enum is called in its schema.
pub fn bare(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, bare)| bare)
}

/// What SQL spells `billing."Status"`, without its quotes; `None` where that is no name of one or two parts.
pub fn unquoted(spelled: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = spelled;
    let mut parts = 0;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted;
            while let Some((head, behind)) = rest.split_once('"') {
                name.push_str(head);
                rest = behind;
                match behind.strip_prefix('"') {
                    Some(next) => {
                        name.push('"');
                        rest = next;
                    }
                    None => break,
                }
            }
        } else {
            let end = rest.find(['.', '"']).unwrap_or(rest.len());
            name.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        parts += 1;
        if rest.is_empty() {
            return (parts <= 2).then_some(name);
        }
        rest = rest.strip_prefix('.')?;
        name.push('.');
    }
}

/// The name of something that stands in the schema of a table: an index of it, its name to come.
pub fn beside_table(table: &str, name: &str) -> String {
    in_schema(schema_of(table), name)
}

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
    format!("{prefix}_{}_{}", bare(table), columns.join("_"))
}

/// The name that PostgreSQL gives a primary key.
pub fn primary_key_name(table: &str) -> String {
    format!("{}_pkey", bare(table))
}

/// A name for what stands beside something of this name until it takes its place.
pub fn beside(name: &str) -> String {
    with_ending(name, "_new")
}

/// A name for what had this name until something else took it.
pub fn released(name: &str) -> String {
    with_ending(name, "_old")
}

/// What is called so is kept by the tool for a time, a name that nobody takes by accident.
pub const KEPT: &str = "zdm_kept_";

/// The column beside one of this name that says what the two sides of a row were.
pub fn seal(name: &str) -> String {
    const SEAL: &str = "zdm_seal_";
    format!("{SEAL}{}", cut(name, SEAL.len()))
}

fn with_ending(name: &str, ending: &str) -> String {
    format!("{}{ending}", cut(name, ending.len()))
}

/// So much of a name as leaves place for something beside it.
fn cut(name: &str, beside: usize) -> &str {
    let mut stem = name;
    while beside + stem.len() > LONGEST {
        let end = stem.char_indices().last().map_or(0, |(at, _)| at);
        stem = &stem[..end];
    }
    stem
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
    use super::{beside, beside_table, constraint_name, schema_of, table_of, unquoted};

    #[test]
    fn a_name_beside_another_is_no_longer_than_names_may_be() {
        assert_eq!(beside("by_name"), "by_name_new");
        let long = beside(&"ä".repeat(31));
        assert_eq!((long.len(), long.ends_with("ä_new")), (62, true));
    }

    #[test]
    fn a_name_keeps_its_schema() {
        let columns = ["total".to_owned()];
        assert_eq!(
            constraint_name("idx", "billing.invoices", &columns),
            "idx_invoices_total"
        );
        assert_eq!(schema_of("invoices"), None);
        let spelled = |text| unquoted(text).unwrap_or_default();
        assert_eq!(spelled("billing.\"A \"\"b\"\"\""), "billing.A \"b\"");
        assert_eq!(spelled("\"Mood\""), "Mood");
        assert_eq!(spelled("\"a\"x"), "");
        assert_eq!(beside_table("billing.invoices", "i"), "billing.i");
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
