use zdm_runtime::{Migratable, MigratableEnum};

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(
        from("mood_text"),
        up = "CASE mood_text WHEN 'happy' THEN 'happy' ELSE 'sad' END",
        down = "CAST(mood AS text)",
        valid_if = "mood_text <> ''",
        on_invalid = "reject"
    )]
    pub mood: Mood,
}

#[derive(MigratableEnum)]
pub enum Mood {
    Happy,
    Sad,
}
