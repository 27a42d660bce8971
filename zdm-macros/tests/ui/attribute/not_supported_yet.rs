use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(from("a"), with = "crate::convert")]
    a2: i32,
}

fn main() {}
