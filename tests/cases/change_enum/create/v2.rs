use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub mood: Option<Mood>,
    #[zdm(default = "'happy'")]
    pub usual_mood: Mood,
}

#[derive(Migratable)]
#[zdm(table = "days", primary_key(day, mood))]
pub struct Day {
    pub day: i32,
    pub mood: Mood,
    #[zdm(default = "'low'")]
    pub level: Level,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    #[zdm(rename = "so so")]
    SoSo,
}

#[derive(MigratableEnum)]
#[zdm(name = "Level")]
pub enum Level {
    Low,
    High,
}
