use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(index(unique), check(expr = "id > 0"), foreign_key(columns(id)), index(column(name)))]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
}

fn main() {}
