use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(unique)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(table = "users", drops("x"))]
    email: String,
}

fn main() {}
