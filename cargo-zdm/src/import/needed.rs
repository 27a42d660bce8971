//! What the tables stand on, as the first step of the baseline: a new database gets it, one that has the tables already does not.
//!
//! Comes in: what the catalogue says they name. Goes out: a step, and in the list of what the models do not say, who makes it.
//! Must not know: connections, files.

use zdm_model::Schema;

use super::left_out::LeftOut;
use crate::catalogue::needed::Needed;

const HEAD: &str =
    "-- What the tables stand on, as it was found. Only a database without the tables gets it.\n";
const BODIES: &str =
    "-- Functions may name tables that come after them.\nSET LOCAL check_function_bodies = off;\n";
const SEQUENCE: &str = "CREATE SEQUENCE ";

/// SQL that runs before the tables are made, and its undo, or why there is none.
pub(crate) struct Step {
    pub(crate) up: String,
    pub(crate) down: Result<String, String>,
}

/// Who makes an object in a new database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// The step.
    Baseline,
    /// The models: an enum of theirs, the sequence of a key.
    Models,
    /// Somebody, once expand stands before the table: it names an enum or a table of the models, which come after the step.
    Between,
    /// Somebody, before expand: it cannot be made of what the catalogue says.
    Before,
}

/// The step, if the tables stand on anything.
pub(crate) fn step(needed: &[Needed], schema: &Schema) -> Option<Step> {
    let made = needed
        .iter()
        .filter(|found| maker(found, schema) == Maker::Baseline);
    let made: Vec<_> = made.collect();
    let mut up = HEAD.to_owned();
    if made.iter().any(|found| found.what == "function") {
        up.push_str(BODIES);
    }
    for create in made.iter().filter_map(|found| found.create.as_deref()) {
        up.push_str(create);
        up.push_str(";\n");
    }
    let mut down = String::new();
    for drop in made.iter().rev().filter_map(|found| found.drop.as_deref()) {
        down.push_str(drop);
        down.push_str(";\n");
    }
    let down = if down.is_empty() {
        Err("other tables may stand on the schemas and extensions by then".to_owned())
    } else {
        Ok(down)
    };
    (!made.is_empty()).then_some(Step { up, down })
}

/// Says who makes what in a new database, and what no table stands on.
pub(crate) fn tell(left_out: &mut [LeftOut], needed: &[Needed], schema: &Schema) {
    for told in left_out {
        let same = |found: &&Needed| found.what == told.what && found.object == told.object;
        let reason = match needed.iter().find(same).map(|found| maker(found, schema)) {
            Some(Maker::Baseline) => "a new database gets it from the baseline",
            Some(Maker::Between) => {
                "a table stands on it, and it on an enum or a table of the models: where `cargo zdm expand` of a new database stops for it, \
                 make it and go on"
            }
            Some(Maker::Before) => {
                "a table stands on it: a new database needs it before `cargo zdm expand`"
            }
            None if ["extension", "domain"].contains(&told.what.as_str())
                || told.what.ends_with("type") =>
            {
                "no table stands on it"
            }
            Some(Maker::Models) | None => continue,
        };
        reason.clone_into(&mut told.reason);
    }
}

fn maker(found: &Needed, schema: &Schema) -> Maker {
    let mut enums = found.enums.iter();
    let of_models = |object: &str| schema.enumeration(object).is_some();
    match found.create.as_deref() {
        _ if found.what == "enum" && of_models(&found.object) => Maker::Models,
        _ if found.of_rows || enums.any(|name| of_models(name)) => Maker::Between,
        Some(create) if is_of_a_key(create, schema) => Maker::Models,
        Some(_) => Maker::Baseline,
        None => Maker::Before,
    }
}

/// A sequence that no default of the models names: the key that it counts gets one of its own.
fn is_of_a_key(create: &str, schema: &Schema) -> bool {
    let sequence = create
        .strip_prefix(SEQUENCE)
        .and_then(|rest| rest.rsplit_once(" AS "));
    let Some((name, _)) = sequence else {
        return false;
    };
    let name = format!("'{}'", name.replace('\'', "''"));
    let mut columns = schema.tables.iter().flat_map(|table| &table.columns);
    !columns.any(|column| {
        let default = column.default.as_deref().unwrap_or_default();
        default.contains(&name)
    })
}
