//! How a person would convert the values of a column whose type changes, or that may not be NULL any more.

use zdm_model::{Column, LogicalType, Table, names};

use super::declare::zero_of;
use super::rows::ident;

/// Both ways of a column.
pub(crate) struct Conversion {
    /// The attribute's words.
    pub(crate) words: Vec<String>,
    /// The new value, over the old column.
    pub(crate) up: String,
}

impl Conversion {
    /// `None` where the type is the same, or nobody would know how.
    pub(crate) fn of(table: &Table, before: &Column, after: &Column) -> Option<Self> {
        let keeps_name = before.name == after.name;
        let interim = if keeps_name {
            names::beside(&after.name)
        } else {
            after.name.clone()
        };
        let (old, new) = (ident(&before.name), ident(&interim));
        let (mut up, mut down, built_in) = match (type_of(before), type_of(after)) {
            (one, other) if one == other && !keeps_name => (old, new, true),
            ("int2", "int4" | "int8") | ("int4", "int8") => (old, new, true),
            ("timestamp", "timestamptz") => {
                let at = |name| format!("{name} AT TIME ZONE 'UTC'");
                (at(old), at(new), false)
            }
            ("timestamp", "date") => (
                format!("CAST({old} AS date)"),
                format!("CAST({new} AS timestamp)"),
                false,
            ),
            ("text", "text[]") => (
                format!("string_to_array({old}, ',')"),
                format!("array_to_string({new}, ',')"),
                false,
            ),
            ("text", "jsonb") => (
                format!("to_jsonb({old})"),
                format!("{new} #>> '{{}}'"),
                false,
            ),
            ("text", "bytea") => (
                format!("convert_to({old}, 'UTF8')"),
                format!("convert_from({new}, 'UTF8')"),
                false,
            ),
            _ => return None,
        };
        if before.nullable && !after.nullable {
            up = format!("coalesce({up}, {})", zero_of(table, after));
        }
        if after.nullable && !before.nullable {
            down = format!("coalesce({down}, {})", zero_of(table, before));
        }
        let mut words = vec![format!("from({:?})", before.name)];
        if keeps_name {
            words.push(format!("final_name = {:?}", after.name));
        }
        if !(built_in && before.nullable == after.nullable) {
            words.extend([format!("up = {up:?}"), format!("down = {down:?}")]);
        }
        Some(Self { words, up })
    }
}

fn type_of(column: &Column) -> &str {
    match column.sql_type.as_deref() {
        Some("varchar" | "character varying") => "text",
        Some(sql_type) if sql_type.starts_with("varchar(") => "text",
        Some("timestamp without time zone") => "timestamp",
        Some("timestamp with time zone") => "timestamptz",
        Some(sql_type) => sql_type,
        None => match column.logical_type {
            LogicalType::TimestampTz => "timestamptz",
            LogicalType::Json => "jsonb",
            LogicalType::Bytes => "bytea",
            logical => logical.name(),
        },
    }
}
