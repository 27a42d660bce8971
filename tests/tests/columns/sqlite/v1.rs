use zdm_runtime::{Migratable, MigratableEnum};

#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Happy,
    #[zdm(rename = "007")]
    SoSo,
}

/// Columns that the database computes; their place is between others.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(generated = "lower(email)", index)]
    pub key: Option<String>,
    #[zdm(generated = "length(email)", virtual)]
    pub size: i64,
    pub email: String,
}

/// Enums alone and optional.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Day {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub mood: Mood,
    pub other: Option<Mood>,
}
