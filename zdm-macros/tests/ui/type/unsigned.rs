use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    age: u32,
    size: Option<u64>,
    initial: char,
}

fn main() {}
