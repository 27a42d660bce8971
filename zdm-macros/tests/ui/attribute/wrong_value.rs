use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(column = 3)]
    a: i32,
    #[zdm(default)]
    b: i32,
    #[zdm(unique = true)]
    c: i32,
    #[zdm(default = "")]
    d: i32,
    #[zdm(from())]
    e: i32,
    #[zdm(references = "teams")]
    f: i64,
    #[zdm(references = "teams(id)", on_delete = "explode")]
    g: i64,
}

#[derive(Migratable)]
#[zdm(comment = "")]
struct Silent {
    #[zdm(primary_key, comment)]
    id: i64,
}

fn main() {}
