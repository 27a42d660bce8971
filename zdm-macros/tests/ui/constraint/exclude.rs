use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    exclude(name = "no_elements"),
    exclude(name = "no_operator", elements("name")),
    exclude(elements("name WITH =")),
    check(name = "c", expr = "id > 0", not_null)
)]
struct User {
    #[zdm(primary_key)]
    id: i64,
    name: String,
}

fn main() {}
