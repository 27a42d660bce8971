use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(from("a"), up(postgers = "1", sqlite = "1"), down = "''")]
    a2: i32,
    #[zdm(from("b"), up(), down(postgres = "1", other = "2"))]
    b2: i32,
}

fn main() {}
