//! What a client calls the types of values, and what it cannot be generated for.
//!
//! Comes in: the dialect's table of the client's types, columns. Goes out: names of types, or a refusal.
//! Must not know: templates, statements.

use zdm_model::{Column, LogicalType};

use super::names::{RustType, SqlTypes};
use super::words::Words;
use super::{Model, RenderError, Templates};
use crate::dialect::{ClientFacts, Dialect};

/// What generated code calls the things of the client, and the words of the database that it speaks to.
pub(super) fn speaks<'a>(
    templates: &Templates,
    dialect: &'a Dialect,
) -> Result<(&'a ClientFacts, Words<'a>), RenderError> {
    let client = templates.client().name;
    let refused = |reason: &str| RenderError::NoDriver {
        client,
        dialect: dialect.name().to_owned(),
        reason: reason.to_owned(),
    };
    let known = dialect.client(client).zip(Words::of(dialect));
    let (facts, words) = known.ok_or_else(|| refused("nobody has said what it is called there"))?;
    match &facts.refused {
        None => Ok((facts, words)),
        Some(reason) => Err(refused(reason)),
    }
}

/// Refuses what has no code for the client, all at once.
pub fn check(
    templates: &Templates,
    dialect: &Dialect,
    models: &[Model<'_>],
) -> Result<(), RenderError> {
    let (facts, words) = speaks(templates, dialect)?;
    let mut what = Vec::new();
    for model in models {
        let table = &model.table.name;
        let pairs = || model.transitions().flat_map(|found| &found.pairs);
        let columns = model.table.columns.iter();
        for column in columns.chain(pairs().flat_map(|pair| &pair.old)) {
            if sql_type(facts, words, column, &RustType::of(column)).is_none() {
                what.push(format!(
                    "table `{table}`, column `{}`: no SQL type of the client is known for `{}`",
                    column.name,
                    words.encoded_type(column)
                ));
            }
        }
        // Where values tell their type themselves, the client is sqlx, whose pool such a backfill is written for.
        for pair in pairs().filter(|_| !facts.types.is_empty()) {
            if let Some(function) = &pair.with {
                what.push(format!(
                    "table `{table}`, column `{}`: the function `{}` that fills it is called by a backfill on sqlx's pool",
                    pair.new.name, function.path
                ));
            }
        }
    }
    if what.is_empty() {
        return Ok(());
    }
    what.insert(0, "what is declared here:".to_owned());
    Err(RenderError::Unserved {
        client: templates.client().name,
        what,
    })
}

/// The client's SQL type of a column that is not NULL: empty where values tell it themselves, `None` where it has none.
pub(super) fn sql_type(
    facts: &ClientFacts,
    words: Words<'_>,
    column: &Column,
    rust: &RustType,
) -> Option<String> {
    if facts.types.is_empty() {
        return Some(String::new());
    }
    let encoded = words.encoded_type(column);
    let element = encoded.strip_suffix("[]");
    let name = element.unwrap_or(&encoded);
    let owned = rust.owned.as_str();
    let rust = owned.strip_prefix("Vec<").filter(|_| element.is_some());
    let rust = rust.and_then(|rust| rust.strip_suffix('>'));
    let single = match column.logical_type {
        LogicalType::Enum if super::words::cast(column).is_none() => {
            facts.enumeration.replace("{type}", rust.unwrap_or(owned))
        }
        _ => facts.types.get(&name.to_lowercase())?.clone(),
    };
    let optional = rust.is_some_and(|rust| rust.starts_with("Option<"));
    let single = if optional {
        facts.nullable.replace("{type}", &single)
    } else {
        single
    };
    Some(match element {
        Some(_) => facts.array.replace("{type}", &single),
        None => single,
    })
}

/// The same wherever a value of the column travels.
pub(super) fn sql_types(
    facts: &ClientFacts,
    words: Words<'_>,
    column: &Column,
    rust: &RustType,
) -> SqlTypes {
    let single = sql_type(facts, words, column, rust).unwrap_or_default();
    let nullable = facts.nullable.replace("{type}", &single);
    SqlTypes {
        array: [&single, &nullable].map(|element| facts.array.replace("{type}", element)),
        single: [single, nullable],
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use zdm_model::{Declared, RustType};

    use super::*;
    use crate::render::rust::CLIENTS;

    fn refused(client: usize, dialect: &str, source: &str) -> Option<String> {
        let input = syn::parse_str(source).unwrap();
        let Ok(Declared::Model(found)) = Declared::parse(&input, &RustType::of) else {
            panic!("no model: {source}");
        };
        let model = Model {
            table: Cow::Borrowed(&found.table),
            path: "crate::models::Place".to_owned(),
            fingerprint: 0,
            skipped: Vec::new(),
            version: None,
            conditions: Vec::new(),
            view: None,
            transition: None,
            earlier: Vec::new(),
            turns: Vec::new(),
        };
        let templates = Templates::with(&CLIENTS[client], &[]).unwrap();
        let dialect = Dialect::named(dialect).unwrap();
        let checked = check(&templates, &dialect, &[model]);
        checked.err().map(|error| error.to_string())
    }

    const PLACES: &str = "#[zdm(table = \"places\")] struct Place { #[zdm(primary_key)] id: i64, \
        #[zdm(sql_type = \"ltree\")] path: Path, #[zdm(sql_type = \"Numeric(10, 2)\")] price: Price, \
        #[zdm(sql_type = \"ltree[]\")] paths: Option<Paths>, #[zdm(sql_type = \"text[]\")] words: Vec<String> }";

    #[test]
    fn what_diesel_has_no_type_for_is_refused_all_at_once() {
        assert_eq!(refused(0, "postgres", PLACES), None);
        let told = refused(1, "postgres", PLACES).unwrap();
        for line in [
            "column `path`",
            "`ltree`",
            "column `paths`",
            "`ltree[]`",
            "client = \"sqlx\"",
        ] {
            assert!(told.contains(line), "{told}");
        }
        assert!(!told.contains("price") && !told.contains("words"), "{told}");
    }

    #[test]
    fn a_database_that_the_client_does_not_reach_is_refused_with_the_reason() {
        let plain = "#[zdm(table = \"t\")] struct T { #[zdm(primary_key)] id: i64 }";
        assert_eq!(refused(0, "sqlite", plain), None);
        let told = refused(1, "sqlite", plain).unwrap();
        assert!(
            told.contains("diesel-async") && told.contains("a wrapper"),
            "{told}"
        );
    }
}
