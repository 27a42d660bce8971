use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
}

impl zdm_runtime::Generated for User {
    const FINGERPRINT: u64 = 1;
}

fn main() {}
