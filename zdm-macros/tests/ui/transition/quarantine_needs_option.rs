use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(column = "age_int", from("age"), up = "CAST(age AS INTEGER)", down = "CAST(age_int AS TEXT)",
          valid_if = "age ~ '^[0-9]{1,9}$'", on_invalid = "quarantine")]
    age: i32,
    #[zdm(from("b"), up = "b", down = "b2", valid_if = "b > 0", on_invalid = "null")]
    b2: i32,
}

fn main() {}
