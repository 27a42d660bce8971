use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, generated = "1")]
    id: i64,
    #[zdm(generated = "lower(name)", default = "''", renamed_from = "email_key")]
    key: String,
    #[zdm(virtual)]
    name: String,
    #[zdm(generated)]
    size: i64,
}

fn main() {}
