use zdm_runtime::Migratable;

struct Money(i64);

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    price: Money,
}

impl zdm_runtime::Generated for User {
    const FINGERPRINT: u64 = 0;
}

fn main() {}
