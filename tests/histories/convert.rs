//! How a person would convert the values of a column whose type changes, or that may not be NULL any more.

use cargo_zdm::dialect::Dialect;
use zdm_model::{Column, LogicalType, Schema, Table, names};

use super::declare::zero_of;
use super::rows::ident;

/// Both ways of a column.
pub(crate) struct Conversion {
    /// The attribute's words.
    pub(crate) words: Vec<String>,
    /// The new value, over the old column; `None` where some values have none of their own.
    pub(crate) up: Option<String>,
}

impl Conversion {
    /// `None` where the type is the same, or it is another bound of the same type and `narrows` does not ask for a new column.
    pub(crate) fn of(
        (schema, table): (&Schema, &Table),
        before: &Column,
        after: &Column,
        narrows: bool,
    ) -> Option<Self> {
        let keeps_name = before.name == after.name;
        let interim = if keeps_name {
            names::beside(&after.name)
        } else {
            after.name.clone()
        };
        let zero = |column| zero_of(schema, table, column);
        let (old, new) = (ident(&before.name), ident(&interim));
        let mut fails = false;
        let (mut up, mut down, built_in) = match (type_of(before).as_str(), type_of(after).as_str())
        {
            (one, other) if one == other && !keeps_name => (old, new, true),
            ("int2", "int4" | "int8") | ("int4", "int8") => (old, new, true),
            (one, other)
                if matches!(
                    (unbounded(one), unbounded(other)),
                    ("timestamp", "timestamptz") | ("timestamptz", "timestamp")
                ) =>
            {
                let at = |name, to: &Column| {
                    let postgres = Dialect::named("postgres").unwrap();
                    let (at, sql_type) = (
                        format!("{name} AT TIME ZONE 'UTC'"),
                        postgres.uncollated_type_of(to),
                    );
                    if sql_type.contains('(') {
                        format!("CAST({at} AS {sql_type})")
                    } else {
                        at
                    }
                };
                (at(old, after), at(new, before), false)
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
            // Two texts that are none give two values all the same.
            ("text", "uuid") => {
                fails = true;
                (
                    format!("CAST(md5({old}) AS uuid)"),
                    format!("CAST({new} AS text)"),
                    false,
                )
            }
            (one, other) if one == other => return None,
            (one, other) if keeps_name && unbounded(one) == unbounded(other) && !narrows => {
                return None;
            }
            (one, other) => {
                fails = !never_fails(unbounded(one), unbounded(other));
                (
                    cast(&old, one, after, other),
                    cast(&new, other, before, one),
                    false,
                )
            }
        };
        if before.nullable && !after.nullable {
            up = format!("coalesce({up}, {})", zero(after));
        }
        if after.nullable && !before.nullable {
            // A value that means nothing else: rows that hold it count as written from NULL.
            let none = match zero(before).as_str() {
                "''" => "'none'".to_owned(),
                "0" => "-7".to_owned(),
                _ => zero(before),
            };
            down = format!("coalesce({down}, {none})");
        }
        let mut words = vec![format!("from({:?})", before.name)];
        if keeps_name {
            words.push(format!("final_name = {:?}", after.name));
        }
        if !(built_in && before.nullable == after.nullable) {
            words.extend([format!("up = {up:?}"), format!("down = {down:?}")]);
        }
        if fails && after.nullable {
            words.push("on_invalid = \"null\"".to_owned());
        } else if fails {
            words.push(format!("on_invalid = default({:?})", zero(after)));
        }
        let up = Some(up).filter(|_| !fails);
        Some(Self { words, up })
    }
}

/// By way of text, where no cast is sure to be there.
fn cast(value: &str, from: &str, to: &Column, other: &str) -> String {
    let postgres = Dialect::named("postgres").unwrap();
    let sql_type = postgres.uncollated_type_of(to);
    let has_cast = [unbounded(from), unbounded(other)]
        .iter()
        .all(|name| NUMBERS.contains(name) || TIMES.contains(name));
    if has_cast || unbounded(from) == "text" || unbounded(other) == "text" {
        return format!("CAST({value} AS {sql_type})");
    }
    format!("CAST(CAST({value} AS text) AS {sql_type})")
}

const NUMBERS: [&str; 6] = ["int2", "int4", "int8", "numeric", "float4", "float8"];
const TIMES: [&str; 3] = ["date", "timestamp", "timestamptz"];

fn never_fails(from: &str, to: &str) -> bool {
    let place = |of: &[&str], name: &str| of.iter().position(|known| *known == name);
    let grows = |of: &[&str]| {
        place(of, from)
            .zip(place(of, to))
            .is_some_and(|(one, other)| one < other)
    };
    to == "text" || grows(&NUMBERS) && !from.starts_with("float") || grows(&TIMES)
}

/// A type's name without its bounds.
fn unbounded(sql_type: &str) -> &str {
    match sql_type.split('(').next().unwrap_or_default() {
        "varchar" | "char" | "bpchar" | "citext" => "text",
        "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "real" => "float4",
        "double precision" => "float8",
        other => other,
    }
}

fn type_of(column: &Column) -> String {
    let name = match (column.sql_type.as_deref(), column.logical_type) {
        (Some("varchar" | "character varying"), _) => "text",
        (Some("timestamp without time zone"), _) => "timestamp",
        (Some("timestamp with time zone"), _) | (None, LogicalType::TimestampTz) => "timestamptz",
        (Some(sql_type), _) if sql_type.starts_with("timestamp(") => return zoned(sql_type),
        (Some(sql_type), _) => sql_type,
        (None, LogicalType::Json) => "jsonb",
        (None, LogicalType::Bytes) => "bytea",
        (None, LogicalType::Enum | LogicalType::Custom) => {
            return Dialect::named("postgres")
                .unwrap()
                .uncollated_type_of(column);
        }
        (None, logical) => logical.name(),
    };
    name.to_owned()
}

/// `timestamp(3) with time zone` by its short name.
fn zoned(sql_type: &str) -> String {
    let (bounded, zone) = sql_type.split_once(')').unwrap_or((sql_type, ""));
    let name = if zone.trim() == "with time zone" {
        bounded.replacen("timestamp", "timestamptz", 1)
    } else {
        bounded.to_owned()
    };
    format!("{name})")
}
