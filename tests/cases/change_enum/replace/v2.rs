use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(
        column = "mood_2",
        from("mood"),
        up = "CASE mood WHEN 'happy' THEN 'glad' ELSE 'sad' END",
        down = "CASE mood_2 WHEN 'glad' THEN 'happy' ELSE 'sad' END"
    )]
    pub mood: Mood,
}

#[derive(MigratableEnum)]
#[zdm(name = "mood_2")]
pub enum Mood {
    Sad,
    Glad,
}
