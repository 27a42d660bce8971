use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User(i64, String);

fn main() {}
