use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(renamed_from = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
}

fn main() {}
