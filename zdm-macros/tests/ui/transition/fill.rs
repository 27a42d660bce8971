use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(up = "lower(email)")]
    slug: Option<String>,
    #[zdm(up = "lower(email)", default = "''")]
    key: String,
    email: String,
}

fn main() {}
