use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(column = "Mood")]
    pub mood: Mood,
}

#[derive(MigratableEnum)]
#[zdm(name = "Mood")]
pub enum Mood {
    Happy,
    #[zdm(rename = "it's so-so")]
    SoSo,
}
