use zdm_runtime::{Migratable, MigratableEnum};

/// It was there, no column had it.
#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    Sad,
}

/// No column has it yet.
#[derive(MigratableEnum)]
pub enum Size {
    Small,
    Large,
}

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(default = "'happy'")]
    pub mood: Mood,
}
