use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(column = "age_int", from("age"), up = "CAST(age AS INTEGER)")]
    age: i32,
    #[zdm(from("a"), down = "b")]
    b: i32,
    #[zdm(from("first", "last"))]
    name: String,
}

fn main() {}
