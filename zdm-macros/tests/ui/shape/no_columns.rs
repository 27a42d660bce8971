use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(skip)]
    _cache: String,
}

fn main() {}
