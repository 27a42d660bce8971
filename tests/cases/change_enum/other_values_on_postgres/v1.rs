use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(index(columns(mood, name), name = "idx_users_mood", where = "mood <> 'sad'::mood"))]
#[zdm(check(name = "users_mood_check", expr = "mood <> 'lost'::mood OR other IS NULL"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(default = "'sad'")]
    pub mood: Mood,
    #[zdm(comment = "until yesterday")]
    pub other: Option<Mood>,
}

#[derive(Migratable)]
pub struct Day {
    #[zdm(primary_key)]
    pub day: i64,
    #[zdm(default = "'happy'")]
    pub mood: Mood,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    Sad,
    Gloomy,
    Lost,
}
