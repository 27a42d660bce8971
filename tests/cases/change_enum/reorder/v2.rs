use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub mood: Mood,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Sad,
    Happy,
}
