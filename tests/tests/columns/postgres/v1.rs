use zdm_runtime::{Migratable, MigratableEnum};

#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
#[zdm(name = "Mood")]
pub enum Mood {
    Happy,
    #[zdm(rename = "so-so \"'")]
    SoSo,
}

/// Enums alone, optional and in an array.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Day {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub mood: Mood,
    pub other: Option<Mood>,
    #[zdm(default = "'{happy}'")]
    pub moods: Vec<Mood>,
}

/// An enum in the key.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(primary_key(day, mood))]
pub struct Count {
    pub day: i64,
    pub mood: Mood,
    pub count: i32,
}

/// A column that the database computes; its place is between others.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(generated = "lower(email)", index)]
    pub key: Option<String>,
    pub email: String,
}

/// A key that is always counted, and counted columns beside it.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Ticket {
    #[zdm(primary_key, auto = "always")]
    pub id: i64,
    #[zdm(auto = "serial")]
    pub number: i32,
    #[zdm(auto)]
    pub line: i64,
    #[zdm(auto = "always")]
    pub total: i16,
    pub name: String,
}

/// Nothing but such a key.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Stamp {
    #[zdm(primary_key, auto = "always")]
    pub id: i64,
}

/// Nothing but a key with a sequence.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Mark {
    #[zdm(primary_key, auto = "serial")]
    pub id: i32,
}

/// Arrays of the types that Rust has.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct List {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(sql_type = "text[]")]
    pub words: Vec<String>,
    #[zdm(sql_type = "varchar(4)[]")]
    pub short: Option<Vec<String>>,
    #[zdm(sql_type = "char(3)[]")]
    pub fixed: Vec<String>,
    #[zdm(sql_type = "integer[]")]
    pub numbers: Vec<i32>,
    #[zdm(sql_type = "timestamp(3) with time zone[]")]
    pub times: Vec<chrono::DateTime<chrono::Utc>>,
    #[zdm(sql_type = "uuid[]")]
    pub ids: Vec<uuid::Uuid>,
    #[zdm(sql_type = "bytea[]")]
    pub bytes: Vec<Vec<u8>>,
    #[zdm(sql_type = "jsonb[]")]
    pub values: Vec<serde_json::Value>,
}
