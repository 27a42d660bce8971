use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub mood: Mood,
    #[zdm(generated = "mood IS NOT NULL")]
    pub known: Option<bool>,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    #[zdm(renamed_from = "sad")]
    Unhappy,
}
