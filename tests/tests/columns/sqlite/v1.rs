use zdm_runtime::{Migratable, MigratableEnum};

#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Happy,
    #[zdm(rename = "007")]
    SoSo,
}

/// Enums alone and optional.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Day {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub mood: Mood,
    pub other: Option<Mood>,
}
