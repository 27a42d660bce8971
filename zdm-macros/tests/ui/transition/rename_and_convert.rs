use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(renamed_from = "name", up = "upper(name)", down = "full_name")]
    full_name: String,
    #[zdm(renamed_from = "name")]
    nick: String,
}

fn main() {}
