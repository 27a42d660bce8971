use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(index(columns(name)))]
#[zdm(check(name = "c", expr = "id > 0"), check(name = "c", expr = "id > 1"))]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(index)]
    name: String,
}

fn main() {}
