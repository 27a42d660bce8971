use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(check(name = "not_sad", expr = "mood <> 'sad' OR id = 1"))]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub mood: Mood,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    #[zdm(renamed_from = "sad")]
    Unhappy,
}
