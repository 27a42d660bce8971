use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User;

fn main() {}
