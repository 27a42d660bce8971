//! Before: moods that nobody tells apart, in the order of nobody's.

use zdm_runtime::{Migratable, MigratableEnum};

/// How somebody is.
#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Happy,
    Sad,
    Gloomy,
    SoSo,
}

/// Somebody.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(check(name = "people_mood_check", expr = "mood <> 'happy' OR id > 0"))]
pub struct Person {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(index, default = "'so_so'")]
    pub mood: Mood,
    pub before: Option<Mood>,
}

/// A day of somebody.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Day {
    #[zdm(primary_key)]
    pub id: i64,
    pub mood: Mood,
    pub note: String,
}
