use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: &'static str,
    digest: [u8; 32],
}

fn main() {}
