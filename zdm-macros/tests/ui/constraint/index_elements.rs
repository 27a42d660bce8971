use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    index(on("lower(name)")),
    index(name = "both", columns(name), on("name DESC")),
    index(name = "none", on()),
    index(columns(name), nulls_not_distinct),
    index(columns(name), include(nome))
)]
struct User {
    #[zdm(primary_key)]
    id: i64,
    name: String,
}

fn main() {}
