use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(from("age"), up = "CAST(age AS INTEGER)", down = "CAST(age AS TEXT)")]
    age: i32,
    #[zdm(renamed_from = "email")]
    mail: String,
    email: String,
    #[zdm(from("a", "a"), up = "a", down(a = "b"))]
    b: i32,
}

fn main() {}
