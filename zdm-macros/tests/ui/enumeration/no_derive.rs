use zdm_runtime::{Generated, Migratable};

enum Mood {
    Happy,
}

#[derive(Migratable)]
struct Day {
    #[zdm(primary_key)]
    id: i64,
    mood: Mood,
}

impl Generated for Day {
    const FINGERPRINT: u64 = 0;
}

fn main() {}
