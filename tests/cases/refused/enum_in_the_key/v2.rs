use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(primary_key(day, mood))]
pub struct Count {
    pub day: i64,
    pub mood: Mood,
    pub count: i64,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    #[zdm(renamed_from = "sad")]
    Unhappy,
}
