use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(from("a"), up = "lower(a)", down = "a2", one_way)]
    a2: String,
    #[zdm(from("b"), one_way)]
    b2: String,
    #[zdm(up = "lower(a2)", one_way)]
    c: String,
    #[zdm(one_way)]
    d: String,
    #[zdm(renamed_from = "f", one_way)]
    e: String,
    #[zdm(from("g"), up = "g", one_way = "yes")]
    g2: String,
}

fn main() {}
