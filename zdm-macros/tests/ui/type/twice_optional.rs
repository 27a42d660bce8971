use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: Option<Option<String>>,
}

fn main() {}
