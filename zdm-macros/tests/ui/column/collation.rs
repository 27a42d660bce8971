use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, collation = "C")]
    id: i64,
    #[zdm(sql_type = "text COLLATE \"C\"", collation = "C")]
    name: String,
}

fn main() {}
