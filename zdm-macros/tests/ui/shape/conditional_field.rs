use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[cfg(not(windows))]
    home: String,
    #[cfg_attr(not(windows), zdm(unique))]
    name: String,
}

fn main() {}
