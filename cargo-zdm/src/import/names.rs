//! Names of structs, fields and modules for what a database calls otherwise.
//!
//! Comes in: tables and columns. Goes out: identifiers that are legal, idiomatic and different from each other.
//! Must not know: which name is taken from the database with which attribute.

use std::collections::HashSet;

use heck::{ToPascalCase as _, ToSnakeCase as _};
use syn::Ident;

/// Types that models and generated code call by their bare names.
const TAKEN: [&str; 20] = [
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Drop",
    "Err",
    "Error",
    "Fn",
    "Into",
    "Migratable",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Result",
    "Self",
    "Some",
    "String",
    "Vec",
];

/// Plurals that no rule finds.
const IRREGULAR: [(&str, &str); 6] = [
    ("people", "person"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("feet", "foot"),
    ("mice", "mouse"),
];

/// Names that were given already.
#[derive(Debug, Default)]
pub(super) struct Given(HashSet<String>);

impl Given {
    /// The name, or the first numbered one that is free.
    pub(super) fn free(&mut self, wanted: &str) -> String {
        self.numbered(wanted, "_")
    }

    fn numbered(&mut self, wanted: &str, before_number: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            let stem = wanted.trim_start_matches("r#");
            name = format!("{stem}{before_number}{number}");
            number += 1;
        }
        name
    }
}

/// The struct of a table: `User` for `users`.
pub(super) fn structure(table: &str, given: &mut Given) -> String {
    let name = singular(&table.to_snake_case()).to_pascal_case();
    let name = match name.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("Table{name}"),
        Some(_) => name,
        None => "Table".to_owned(),
    };
    type_name(&name, "Record", given)
}

/// A type's name; with the ending where it is taken or none that a type can have.
pub(super) fn type_name(name: &str, ending: &str, given: &mut Given) -> String {
    let legal = syn::parse_str::<Ident>(name).is_ok();
    let name = match (legal, TAKEN.contains(&name)) {
        (true, false) => name.to_owned(),
        (true, true) => format!("{name}{ending}"),
        (false, _) => format!("{ending}{name}"),
    };
    given.numbered(&name, "")
}

/// The variant of an enum's value: `SoSo` for `so so`.
pub(super) fn variant(value: &str, given: &mut Given) -> String {
    let name = value.to_pascal_case();
    let legal = syn::parse_str::<Ident>(&name).is_ok();
    let name = if legal { name } else { format!("Value{name}") };
    given.numbered(&name, "")
}

/// The field of a column: its name in snake_case, a keyword as a raw identifier.
pub(super) fn field(column: &str, given: &mut Given) -> String {
    let plain = !column.is_empty()
        && column
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !column.trim_matches('_').contains("__");
    let name = if plain {
        column.to_owned()
    } else {
        column.to_snake_case()
    };
    let name = name.trim_start_matches('_');
    let name = match name.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("column_{name}"),
        Some(_) => name.to_owned(),
        None => "column".to_owned(),
    };
    let legal = |name: &String| syn::parse_str::<Ident>(name).is_ok();
    let spellings = [format!("r#{name}"), format!("{name}_"), "column".to_owned()];
    let name = [name].into_iter().chain(spellings).find(legal);
    given.free(&name.unwrap_or_default())
}

/// The module of a table's file.
pub(super) fn module(table: &str, given: &mut Given) -> String {
    let name = table.to_snake_case();
    let legal = syn::parse_str::<Ident>(&name).is_ok() && name != "mod";
    let name = if legal { name } else { format!("table_{name}") };
    given.free(&name)
}

/// The last word in the singular, by the rules that [`zdm_model::names::table_of`] makes a plural with; where two singulars have
/// the same plural, the likelier one.
fn singular(name: &str) -> String {
    let (head, last) = match name.rsplit_once('_') {
        Some((head, last)) => (format!("{head}_"), last),
        None => (String::new(), name),
    };
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == last) {
        return format!("{head}{singular}");
    }
    let ends = |endings: &[&str]| endings.iter().any(|ending| last.ends_with(ending));
    let cut = if ends(&["ss", "us", "is", "news", "series", "species"]) || !ends(&["s"]) {
        last.to_owned()
    } else if last.len() > 4 && ends(&["ies"]) {
        format!("{}y", &last[..last.len() - 3])
    } else if ends(&["sses", "xes", "zzes", "shes", "iases"])
        || (ends(&["ches"]) && !ends(&["aches"]))
        || (ends(&["uses"]) && !ends(&["auses", "ouses"]))
    {
        last[..last.len() - 2].to_owned()
    } else {
        last[..last.len() - 1].to_owned()
    };
    format!("{head}{cut}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_are_singular() {
        for (table, name) in [
            ("users", "User"),
            ("order_entries", "OrderEntry"),
            ("addresses", "Address"),
            ("boxes", "Box_"),
            ("branches", "Branch"),
            ("caches", "Cache"),
            ("houses", "House"),
            ("statuses", "Status"),
            ("status", "Status"),
            ("people", "Person"),
            ("order_status", "OrderStatus"),
            ("mfa_amr_claims", "MfaAmrClaim"),
            ("UserData", "UserData"),
            ("2fa", "Table2fa"),
            ("options", "OptionRecord"),
            ("sizes", "Size"),
        ] {
            let found = structure(table, &mut Given::default());
            let expected = name.replace("Box_", "BoxRecord");
            assert_eq!(found, expected, "{table}");
        }
    }

    #[test]
    fn fields_are_legal_and_differ() {
        let mut given = Given::default();
        let mut of = |column| field(column, &mut given);
        assert_eq!(of("name"), "name");
        assert_eq!(of("type"), "r#type");
        assert_eq!(of("self"), "self_");
        assert_eq!(of("CreatedAt"), "created_at");
        assert_eq!(of("created_at"), "created_at_2");
        assert_eq!(of("Type"), "type_2");
        assert_eq!(of("_id"), "id");
        assert_eq!(of("2fa"), "column_2fa");
        assert_eq!(of("first name"), "first_name");
        assert_eq!(of("a__b"), "a_b");
        assert_eq!(of("%"), "column");
    }
}
