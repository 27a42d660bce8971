//! The Rust type that carries a column's values, exactly.
//!
//! Comes in: a column as the catalogue has it. Goes out: a [`Carried`] type, or the reason why none carries it.
//! Must not know: tables.
//!
//! PostgreSQL reads every type from its text and writes it as one, and the repository casts where `sql_type` differs from
//! the field's own type. So a `String` carries what sqlx has no type for without features of its own, and what a type of
//! Rust would change: `numeric` keeps its digits, `json` its bytes. SQLite keeps a value as what it is given as, within the
//! affinity of the declared type, and sqlx refuses to read an integer as an `f64`.

use std::borrow::Cow;

use zdm_model::LogicalType;

use super::enums::Enums;
use crate::catalogue::Column;
use crate::dialect::Dialect;

/// How a column is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    /// `chrono::NaiveDate`
    pub(super) rust_type: Cow<'static, str>,
    pub(super) logical: LogicalType,
    /// The declared type, where it is not the logical type's own.
    pub(super) sql_type: Option<String>,
    /// Its collation, where that has a plain name.
    pub(super) collation: Option<String>,
    /// What the field does not hold of every value.
    pub(super) lacks: Option<&'static str>,
}

const OF_ARRAYS: &str = "a value with NULL among its elements, or of several dimensions, cannot be read into a `Vec`; where \
    there are such, make the field a `String`";

/// The type of a column.
pub(super) fn carried(
    column: &Column,
    enums: &Enums,
    dialect: &Dialect,
) -> Result<Carried, String> {
    let logical = match dialect.name() {
        "sqlite" => sqlite(column)?,
        _ => postgres(column),
    };
    if let Some(carried) = of_enum(column, enums).or_else(|| array(column)) {
        return Ok(carried);
    }
    let mut declared = spelled(&column.sql_type);
    let collation = column.collation.as_deref().and_then(plain);
    if let (Some(collation), None) = (&column.collation, &collation) {
        declared = format!("{declared} COLLATE {collation}");
    }
    let own = dialect.type_name(logical);
    let same = declared == own || declared.eq_ignore_ascii_case(long_name(own));
    Ok(Carried {
        rust_type: Cow::from(rust_type(logical)),
        logical,
        sql_type: (!same).then_some(declared),
        collation,
        lacks: (column.base == "money")
            .then_some("its text depends on the session's `lc_monetary`"),
    })
}

/// An enum of the schema, or an array of one.
fn of_enum(column: &Column, enums: &Enums) -> Option<Carried> {
    let element = column.sql_type.strip_suffix("[]");
    let (ident, name) = enums.named(element.unwrap_or(&column.sql_type))?;
    let is_array = element.is_some();
    Some(Carried {
        rust_type: Cow::from(if is_array {
            format!("Vec<{ident}>")
        } else {
            ident.to_owned()
        }),
        logical: LogicalType::Enum,
        sql_type: Some(if is_array {
            format!("{name}[]")
        } else {
            name.to_owned()
        }),
        collation: None,
        lacks: is_array.then_some(OF_ARRAYS),
    })
}

/// An array of what a type of Rust carries.
fn array(column: &Column) -> Option<Carried> {
    let element = column
        .base
        .strip_prefix('_')
        .filter(|_| column.kind == "array")?;
    let logical = carrier(element)?;
    Some(Carried {
        rust_type: Cow::from(format!("Vec<{}>", rust_type(logical))),
        logical: LogicalType::Custom,
        sql_type: Some(spelled(&column.sql_type)),
        collation: column.collation.as_deref().and_then(plain),
        lacks: Some(OF_ARRAYS),
    })
}

fn postgres(column: &Column) -> LogicalType {
    carrier(&column.base).unwrap_or(LogicalType::Text)
}

/// The type whose values are those of one of PostgreSQL's types.
fn carrier(base: &str) -> Option<LogicalType> {
    Some(match base {
        "bool" => LogicalType::Bool,
        "int2" => LogicalType::Int2,
        "int4" => LogicalType::Int4,
        "int8" => LogicalType::Int8,
        "float4" => LogicalType::Float4,
        "float8" => LogicalType::Float8,
        "bytea" => LogicalType::Bytes,
        "timestamptz" => LogicalType::TimestampTz,
        "timestamp" => LogicalType::Timestamp,
        "date" => LogicalType::Date,
        "time" => LogicalType::Time,
        "uuid" => LogicalType::Uuid,
        "jsonb" => LogicalType::Json,
        "text" | "varchar" | "bpchar" | "citext" | "name" => LogicalType::Text,
        _ => return None,
    })
}

/// By the declared type; within its affinity a value may still be anything (manual, "Datatypes").
fn sqlite(column: &Column) -> Result<LogicalType, String> {
    let base = column.base.as_str();
    let has = |words: &[&str]| words.iter().any(|word| base.contains(word));
    Ok(match base {
        "" => return Err("it has no declared type, so its values may be anything".to_owned()),
        "bool" | "boolean" => LogicalType::Bool,
        "date" => LogicalType::Date,
        "time" => LogicalType::Time,
        "datetime" | "timestamp" => LogicalType::Timestamp,
        _ if has(&["int"]) => LogicalType::Int8,
        _ if has(&["char", "clob", "text"]) => LogicalType::Text,
        _ if has(&["blob"]) => LogicalType::Bytes,
        _ if has(&["real", "floa", "doub"]) => LogicalType::Float8,
        _ => {
            return Err(format!(
                "SQLite keeps a value of the type {} as an integer, a number or a text, whichever it can be taken for, and no type of Rust reads all three",
                column.sql_type
            ));
        }
    })
}

fn rust_type(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Bool => "bool",
        LogicalType::Int2 => "i16",
        LogicalType::Int4 => "i32",
        LogicalType::Int8 => "i64",
        LogicalType::Float4 => "f32",
        LogicalType::Float8 => "f64",
        LogicalType::Bytes => "Vec<u8>",
        LogicalType::TimestampTz => "chrono::DateTime<chrono::Utc>",
        LogicalType::Timestamp => "chrono::NaiveDateTime",
        LogicalType::Date => "chrono::NaiveDate",
        LogicalType::Time => "chrono::NaiveTime",
        LogicalType::Uuid => "uuid::Uuid",
        LogicalType::Json => "serde_json::Value",
        LogicalType::Text | LogicalType::Enum | LogicalType::Custom => "String",
    }
}

/// The name that an identifier means; `None` with a schema before it.
fn plain(identifier: &str) -> Option<String> {
    match identifier
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) if !quoted.replace("\"\"", "").contains('"') => {
            Some(quoted.replace("\"\"", "\""))
        }
        None if !identifier.contains(['.', '"']) => Some(identifier.to_owned()),
        _ => None,
    }
}

/// PostgreSQL's short spellings where people write them.
fn spelled(sql_type: &str) -> String {
    let varying = sql_type.strip_prefix("character varying");
    let fixed = sql_type.strip_prefix("character(");
    match (varying, fixed) {
        (Some(rest), _) => format!("varchar{rest}"),
        (_, Some(rest)) => format!("char({rest}"),
        _ => sql_type.to_owned(),
    }
}

/// What PostgreSQL prints for a type that its dialect spells shorter.
fn long_name(own: &str) -> &str {
    match own {
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "time" => "time without time zone",
        own => own,
    }
}
