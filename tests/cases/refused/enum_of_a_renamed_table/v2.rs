use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(renamed_from = "users")]
pub struct Customer {
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
