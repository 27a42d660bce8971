use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto, default = "1")]
    id: String,
    #[zdm(auto)]
    number: i64,
}

fn main() {}
