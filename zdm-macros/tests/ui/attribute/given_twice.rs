use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(default = "1", default = "2")]
    rank: i32,
    #[zdm(unique)]
    #[zdm(unique)]
    email: String,
}

fn main() {}
