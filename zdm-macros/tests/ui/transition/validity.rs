use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(from("a"), up = "a", down = "a2", valid_if = "a > 0")]
    a2: i32,
    #[zdm(from("b"), up = "b", down = "b2", on_invalid = "reject")]
    b2: i32,
    #[zdm(from("c"), up = "c", down = "c2", valid_if = "c > 0", on_invalid = "ignore")]
    c2: i32,
    #[zdm(valid_if = "d > 0", on_invalid = "reject")]
    d2: i32,
}

fn main() {}
