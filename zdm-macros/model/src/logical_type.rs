//! What a Rust type means to a database, in words that no database owns.

/// The type of a column before a dialect gives it a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LogicalType {
    /// `bool`
    Bool,
    /// `i16`
    Int2,
    /// `i32`
    Int4,
    /// `i64`
    Int8,
    /// `f32`
    Float4,
    /// `f64`
    Float8,
    /// `String`
    Text,
    /// `Vec<u8>`
    Bytes,
    /// `chrono::DateTime<Utc>`
    TimestampTz,
    /// `chrono::NaiveDateTime`
    Timestamp,
    /// `chrono::NaiveDate`
    Date,
    /// `chrono::NaiveTime`
    Time,
    /// `uuid::Uuid`
    Uuid,
    /// `serde_json::Value`
    Json,
    /// An enum with `#[derive(MigratableEnum)]`, or a `Vec` of it: the column's `sql_type` is its name, unquoted.
    Enum,
    /// Any other Rust type: the column's `sql_type` says what it is in the database.
    Custom,
}

impl LogicalType {
    /// Every type that a dialect names, in the order of declaration: all but [`Self::Enum`] and [`Self::Custom`].
    pub const ALL: [Self; 14] = [
        Self::Bool,
        Self::Int2,
        Self::Int4,
        Self::Int8,
        Self::Float4,
        Self::Float8,
        Self::Text,
        Self::Bytes,
        Self::TimestampTz,
        Self::Timestamp,
        Self::Date,
        Self::Time,
        Self::Uuid,
        Self::Json,
    ];

    /// The name in snapshots, in `dialect.toml` and in the fingerprint: `int4`, `timestamp_tz`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Float4 => "float4",
            Self::Float8 => "float8",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::TimestampTz => "timestamp_tz",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Time => "time",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Enum => "enum",
            Self::Custom => "custom",
        }
    }

    /// The type that a Rust type's last path segment and only generic argument name, `None` for an unknown one (an
    /// alias or a newtype, which the caller resolves).
    pub fn of_rust(name: &str, argument: Option<&str>) -> Option<Self> {
        Some(match (name, argument) {
            ("bool", None) => Self::Bool,
            ("i16", None) => Self::Int2,
            ("i32", None) => Self::Int4,
            ("i64", None) => Self::Int8,
            ("f32", None) => Self::Float4,
            ("f64", None) => Self::Float8,
            ("String", None) => Self::Text,
            ("Vec", Some("u8")) => Self::Bytes,
            ("DateTime", Some(zone)) if zone.rsplit("::").next() == Some("Utc") => {
                Self::TimestampTz
            }
            ("NaiveDateTime", None) => Self::Timestamp,
            ("NaiveDate", None) => Self::Date,
            ("NaiveTime", None) => Self::Time,
            ("Uuid", None) => Self::Uuid,
            ("Value", None) => Self::Json,
            _ => return None,
        })
    }
}
