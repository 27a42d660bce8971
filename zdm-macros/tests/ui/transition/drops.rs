use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(drops("name"), drops("nick"), drops("x"), drops("x"))]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    #[zdm(renamed_from = "nick")]
    alias: String,
}

fn main() {}
