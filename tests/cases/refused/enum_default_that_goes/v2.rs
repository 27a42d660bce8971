use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(default = "'sad'")]
    pub mood: Mood,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    #[zdm(renamed_from = "sad")]
    Unhappy,
}
