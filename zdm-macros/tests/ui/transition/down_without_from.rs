use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(down = "age")]
    age: i32,
}

fn main() {}
