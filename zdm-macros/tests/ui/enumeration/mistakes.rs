use zdm_runtime::MigratableEnum;

#[derive(MigratableEnum)]
#[zdm(table = "moods")]
enum Mood {
    Happy(i32),
    #[zdm(name = "sad")]
    Sad,
    #[zdm(rename = "angry")]
    Furious,
    Angry,
}

#[derive(MigratableEnum)]
enum Taken {
    #[zdm(renamed_from = "sad", from("gloomy"))]
    Unhappy,
    #[zdm(from("unhappy", "glum"))]
    Happy,
    #[zdm(from("glum"))]
    Calm,
    #[zdm(from())]
    Bored,
    #[zdm(from(angry))]
    Furious,
    #[zdm(renamed_from)]
    Lost,
}

#[derive(MigratableEnum)]
enum Empty {}

#[derive(MigratableEnum)]
struct Level {
    high: bool,
}

fn main() {}
