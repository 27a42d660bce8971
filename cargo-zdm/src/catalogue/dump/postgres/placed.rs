//! Tables of other schemas beside those of the one that is read first.

use std::collections::BTreeSet;

use zdm_model::names::{in_schema, schema_of, unquoted};

use crate::catalogue::{Catalogue, Table};

/// What stands in no schema, and was read with the first one.
const OF_DATABASE: [&str; 4] = ["extension", "event trigger", "schema", "publication"];

/// Adds what another schema holds.
pub(super) fn join(catalogue: &mut Catalogue, found: Catalogue, schema: &str) {
    let placed = |name: &str| in_schema(Some(schema), name);
    for mut table in found.tables {
        if table.name.contains('.') {
            table.special =
                Some("a dot in its name cannot be told from the one behind its schema".to_owned());
        }
        for key in &mut table.foreign_keys {
            if !key.unusual.iter().any(|unusual| unusual == ELSEWHERE) {
                key.references = placed(&key.references);
            }
        }
        for other in &mut table.others {
            other.object = placed(&other.object);
        }
        table.name = placed(&table.name);
        catalogue.tables.push(table);
    }
    for mut found in found.enums {
        found.name = placed(&found.name);
        catalogue.enums.push(found);
    }
    for mut other in found.others {
        if !OF_DATABASE.contains(&other.what.as_str()) {
            other.object = placed(&other.object);
            catalogue.others.push(other);
        }
    }
}

/// How a foreign key is marked while one schema is read.
const ELSEWHERE: &str = "a table of another schema";

/// References between the schemas are none to a table that nobody knows.
pub(super) fn finish(catalogue: &mut Catalogue, schemas: &BTreeSet<String>) {
    let is_read = |name: &str| schema_of(name).is_none_or(|schema| schemas.contains(schema));
    for key in catalogue
        .tables
        .iter_mut()
        .flat_map(|table: &mut Table| &mut table.foreign_keys)
    {
        if key.unusual.iter().any(|unusual| unusual == ELSEWHERE)
            && let Some(references) = unquoted(&key.references).filter(|name| is_read(name))
        {
            key.references = references;
            key.unusual.retain(|unusual| unusual != ELSEWHERE);
        }
    }
    catalogue.others.retain(|other| {
        let read = schemas
            .iter()
            .any(|schema| other.object.starts_with(&format!("{schema} with ")));
        other.what != "schema" || !read
    });
    catalogue
        .tables
        .sort_by(|left, right| left.name.cmp(&right.name));
    catalogue
        .enums
        .sort_by(|left, right| left.name.cmp(&right.name));
}
