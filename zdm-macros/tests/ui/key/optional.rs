use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key)]
    id: Option<i64>,
}

fn main() {}
