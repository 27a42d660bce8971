//! One value has another name, one takes over two, and all stand in another order.

use zdm_runtime::{Migratable, MigratableEnum};

/// How somebody is.
#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Calm,
    Unhappy,
    Happy,
}

/// Somebody.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(check(name = "people_mood_check", expr = "mood <> 'happy' OR id > 0"))]
pub struct Person {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(index, default = "'calm'")]
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
