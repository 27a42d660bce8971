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
enum Empty {}

#[derive(MigratableEnum)]
struct Level {
    high: bool,
}

fn main() {}
