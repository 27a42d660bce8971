//! The statements by which a Rust function of the application fills a column: what it takes, and what becomes of what it gives.
//!
//! Comes in: the pair. Goes out: the texts of the templates' places.
//! Must not know: who executes them.

use serde::Serialize;
use zdm_model::Column;

use super::backfill::texts;
use crate::dialect::Dialect;
use crate::plan::Pair;
use crate::render::rust;

/// What the templates see beside the backfill's own places.
#[derive(Serialize)]
pub(super) struct Computed {
    /// The column that is filled, unquoted.
    column: String,
    /// The key as text, what the function takes as text, and the same as it is decoded, each with a name.
    selected: Vec<String>,
    /// The column that says what both sides were, and its value.
    seal: Option<Assigned>,
    /// Columns of the row that is computed: the key, what the function took, the value.
    names: Vec<String>,
    /// The arrays that these come in.
    arrays: Vec<String>,
    /// It is the row that was read, by its key and by what the function took.
    same: Vec<String>,
    /// The parameter of the value, where the database takes them one by one.
    value: String,
}

/// A column with what it is given, where the value comes by its name in an array, and where it is a parameter.
#[derive(Serialize)]
struct Assigned {
    column: String,
    of_array: String,
    of_parameter: String,
}

impl Computed {
    pub(super) fn of(dialect: &Dialect, key: &[Column], pair: &Pair) -> Self {
        let as_text = |column: &Column| format!("CAST({} AS text)", dialect.ident(&column.name));
        let keys = named("key", key.len());
        let taken = named("taken", pair.inputs.len());
        let texts = texts(dialect, key, "").into_iter().zip(&keys);
        let given = pair.inputs.iter().map(as_text).zip(&taken);
        let decoded = pair.inputs.iter().map(|column| {
            let name = dialect.ident(&column.name);
            match rust::listed(dialect, column) {
                listed if listed == name => name,
                listed => format!("{listed} AS {name}"),
            }
        });
        let selected = texts
            .chain(given)
            .map(|(text, name)| format!("{text} AS {name}"))
            .chain(decoded)
            .collect();
        let first = 2 * key.len() + 1;
        let values = keys.len() + taken.len();
        let arrays = (0..values).map(|at| format!("${}::text[]", first + at));
        let value_type = rust::encoded_type(dialect, &pair.new);
        let arrays = arrays.chain([format!("${}::{value_type}[]", first + values)]);
        let keys_are = key.iter().zip(&keys).map(|(column, name)| {
            let value = dialect.key_parameter(column, &format!("computed.{name}"));
            format!("{} = {value}", dialect.ident(&column.name))
        });
        let taken_are = pair.inputs.iter().zip(&taken).map(|(column, name)| {
            format!("{} IS NOT DISTINCT FROM computed.{name}", as_text(column))
        });
        let value = format!("${first}");
        let seal = pair.seal.as_ref().map(|seal| {
            let of = |value: &str| {
                pair.seal_of(dialect, &|column| {
                    if column.name == pair.new.name {
                        rust::stored(dialect, column, value)
                    } else {
                        dialect.ident(&column.name)
                    }
                })
            };
            Assigned {
                column: seal.clone(),
                of_array: of("computed.zdm_value"),
                of_parameter: of(&value),
            }
        });
        Self {
            seal,
            column: pair.new.name.clone(),
            selected,
            arrays: arrays.collect(),
            same: keys_are.chain(taken_are).collect(),
            value,
            names: keys
                .iter()
                .chain(&taken)
                .cloned()
                .chain(["zdm_value".to_owned()])
                .collect(),
        }
    }
}

fn named(what: &str, count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("zdm_{what}_{number}"))
        .collect()
}
