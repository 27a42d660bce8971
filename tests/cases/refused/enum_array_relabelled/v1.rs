use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub moods: Vec<Mood>,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    Sad,
}
