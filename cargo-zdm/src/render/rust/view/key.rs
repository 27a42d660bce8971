//! What a table's key is as arguments, as a loop and as text.

use serde::Serialize;
use zdm_model::{Column, LogicalType};

use crate::render::rust::names::{self, RustType};

/// A column of the key.
#[derive(Debug, Serialize)]
pub(super) struct Key {
    pub(super) column: String,
    pub(super) argument: String,
    pub(super) borrowed: String,
    pub(super) plain: String,
    pub(super) sql_type: String,
}

/// A key column of several, as an array.
#[derive(Debug, Serialize)]
pub(super) struct KeyColumn {
    pub(super) variable: String,
    pub(super) borrowed: String,
    pub(super) from_key: String,
    pub(super) array_type: String,
}

pub(super) fn views<'t>(keys: &[&Column], rust: &dyn Fn(&Column) -> &'t RustType) -> Vec<Key> {
    keys.iter()
        .map(|key| Key {
            column: key.name.clone(),
            argument: names::argument(&key.field),
            borrowed: rust(key).borrowed.clone(),
            plain: plain_type(key, rust(key)),
            sql_type: rust(key).sql_type(false),
        })
        .collect()
}

pub(super) fn columns<'t>(
    keys: &[&Column],
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Vec<KeyColumn> {
    if keys.len() == 1 {
        return Vec::new();
    }
    keys.iter()
        .enumerate()
        .map(|(at, key)| {
            let rust = rust(key);
            let from_key = match rust.borrowed.as_str() {
                "&str" => format!("key.{at}.as_str()"),
                "&[u8]" => format!("key.{at}.as_slice()"),
                _ => format!("key.{at}"),
            };
            KeyColumn {
                variable: format!("{}_keys", names::bare(&key.field)),
                borrowed: rust.borrowed.clone(),
                from_key,
                array_type: rust.array_type(false),
            }
        })
        .collect()
}

/// What the client calls an array of a key's values.
pub(super) fn array<'t>(keys: &[&Column], rust: &dyn Fn(&Column) -> &'t RustType) -> String {
    let first = keys.first().map(|key| rust(key).array_type(false));
    first.unwrap_or_default()
}

/// How `get` is called from a loop over references to keys.
pub(super) fn loop_arguments<'t>(
    keys: &[&Column],
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> String {
    let single = keys.len() == 1;
    let arguments: Vec<_> = keys
        .iter()
        .map(|key| {
            let name = if single {
                "key".to_owned()
            } else {
                names::argument(&key.field)
            };
            if rust(key).copies {
                format!("*{name}")
            } else {
                name
            }
        })
        .collect();
    arguments.join(", ")
}

/// The key of a row at hand, as its own value.
pub(super) fn of_row<'t>(
    subject: &str,
    keys: &[&Column],
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> String {
    tuple(keys.iter().map(|key| {
        let place = format!("{subject}.{}", names::identifier(&key.field));
        if rust(key).copies {
            place
        } else {
            format!("{place}.clone()")
        }
    }))
}

/// A key that may be there, `after`, as `list` takes it; of several columns the function that makes it so.
pub(super) fn lent<'t>(keys: &[&Column], rust: &dyn Fn(&Column) -> &'t RustType) -> String {
    let [key] = keys else {
        let values = keys.iter().enumerate().map(|(at, key)| {
            let rust = rust(key);
            match rust.borrowed.as_str() {
                "&str" => format!("key.{at}.as_str()"),
                "&[u8]" => format!("key.{at}.as_slice()"),
                _ if rust.copies => format!("key.{at}"),
                _ => format!("&key.{at}"),
            }
        });
        return format!("|key| {}", tuple(values));
    };
    match rust(key).borrowed.as_str() {
        "&str" | "&[u8]" => "after.as_deref()",
        _ if rust(key).copies => "after",
        _ => "after.as_ref()",
    }
    .to_owned()
}

/// The key's text where it is not the text of one value: what reads are switched by and mismatches are reported with.
pub(super) fn shown(keys: &[&Column]) -> Option<String> {
    match keys {
        [] => return None,
        [key] if key.logical_type != LogicalType::Bytes => return None,
        _ => {}
    }
    let (mut places, mut arguments) = (Vec::new(), String::new());
    for key in keys {
        let mut name = names::argument(&key.field);
        // A format string cannot hold a raw identifier.
        if name.starts_with("r#") {
            arguments.push_str(", ");
            arguments.push_str(&name);
            name.clear();
        }
        let format = match key.logical_type {
            LogicalType::Bytes => ":?",
            _ => "",
        };
        places.push(format!("{{{name}{format}}}"));
    }
    Some(format!("format!(\"{}\"{arguments})", places.join(",")))
}

/// The type that a key is read as for its text: that of its logical type, whatever newtype the field has.
fn plain_type(column: &Column, rust: &RustType) -> String {
    if rust.known {
        return rust.owned.clone();
    }
    match column.logical_type {
        LogicalType::Bool => "bool",
        LogicalType::Int2 => "i16",
        LogicalType::Int4 => "i32",
        LogicalType::Int8 => "i64",
        LogicalType::Float4 => "f32",
        LogicalType::Float8 => "f64",
        LogicalType::Text | LogicalType::Enum | LogicalType::Custom => "String",
        LogicalType::Bytes => "Vec<u8>",
        LogicalType::TimestampTz => "chrono::DateTime<chrono::Utc>",
        LogicalType::Timestamp => "chrono::NaiveDateTime",
        LogicalType::Date => "chrono::NaiveDate",
        LogicalType::Time => "chrono::NaiveTime",
        LogicalType::Uuid => "uuid::Uuid",
        LogicalType::Json => "serde_json::Value",
    }
    .to_owned()
}

pub(super) fn tuple(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    match parts.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(", ")),
    }
}
