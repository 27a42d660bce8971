use zdm_runtime::{Migratable, MigratableEnum};

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    Sad,
}

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
}
