//! Names without a schema that the connection finds in a later schema of its search path.
//!
//! Comes in: what a database holds, and the schema that it is compared with. Goes out: the first one, with such names as the second
//! says them.
//! Must not know: how a catalogue is read.

use zdm_model::{Schema, names};

use crate::catalogue::Catalogue;

/// Calls what `declared` names without a schema, and the first one of the path has not, by its name alone.
pub(crate) fn as_found(catalogue: &mut Catalogue, declared: &Schema) {
    let tables = declared.tables.iter().map(|table| &table.name);
    let enums = declared.enums.iter().map(|found| &found.name);
    let is_bare = |name: &&String| names::schema_of(name).is_none();
    for name in tables.chain(enums).filter(is_bare) {
        let called = |given: &String| given == name;
        let is_there = catalogue.tables.iter().map(|table| &table.name).any(called)
            || catalogue.enums.iter().map(|found| &found.name).any(called);
        let placed = catalogue
            .path
            .iter()
            .map(|schema| format!("{schema}.{name}"));
        let placed: Vec<_> = placed.filter(|_| !is_there).collect();
        let has = |placed: &&String| {
            catalogue.tables.iter().any(|table| table.name == **placed)
                || catalogue.enums.iter().any(|found| found.name == **placed)
        };
        if let Some(placed) = placed.iter().find(has) {
            rename(catalogue, placed, name);
        }
    }
    catalogue
        .tables
        .sort_by(|left, right| left.name.cmp(&right.name));
    catalogue
        .enums
        .sort_by(|left, right| left.name.cmp(&right.name));
}

fn rename(catalogue: &mut Catalogue, placed: &str, name: &str) {
    let changed = |given: &mut String| {
        if given == placed {
            name.clone_into(given);
        } else if let Some(rest) = given
            .strip_prefix(placed)
            .filter(|rest| rest.starts_with('.'))
        {
            *given = format!("{name}{rest}");
        }
    };
    for table in &mut catalogue.tables {
        changed(&mut table.name);
        for key in &mut table.foreign_keys {
            changed(&mut key.references);
        }
        for other in &mut table.others {
            changed(&mut other.object);
        }
    }
    for found in &mut catalogue.enums {
        changed(&mut found.name);
    }
    for other in &mut catalogue.others {
        changed(&mut other.object);
    }
}

/// Expressions that `declared` spells with a schema of the path, which the server leaves out, in its words.
pub(crate) fn as_spelled(found: &mut Schema, declared: &Schema, catalogue: &Catalogue) {
    let path = || std::iter::once(&catalogue.schema).chain(&catalogue.path);
    let same = |one: &str, other: &str| {
        let schemas = path().map(|schema| format!("{schema}."));
        let bare = schemas.fold(other.to_owned(), |text, schema| text.replace(&schema, ""));
        one != other && one == bare
    };
    let take = |one: &mut Option<String>, other: &Option<String>| {
        if let (Some(text), Some(spelled)) = (one.as_deref(), other)
            && same(text, spelled)
        {
            one.clone_from(other);
        }
    };
    for table in &mut found.tables {
        let Some(declared) = declared.table(&table.name) else {
            continue;
        };
        for column in &mut table.columns {
            if let Some(declared) = declared.column(&column.name) {
                take(&mut column.default, &declared.default);
                take(&mut column.generated, &declared.generated);
            }
        }
        for check in &mut table.checks {
            let mut others = declared.checks.iter();
            if let Some(other) = others.find(|other| other.name == check.name)
                && same(&check.expr, &other.expr)
            {
                check.expr.clone_from(&other.expr);
            }
        }
    }
}
