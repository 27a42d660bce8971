use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    id: i64,
}

fn main() {}
