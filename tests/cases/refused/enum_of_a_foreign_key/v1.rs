use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
pub struct Colour {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(unique)]
    pub mood: Mood,
}

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "colours(mood)")]
    pub mood: Mood,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    Sad,
}
