#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
}

#[derive(Migratable)]
#[zdm(table = "addresses")]
struct Address {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(references = "users(id)")]
    user_id: i64,
    street: String,
    town: Option<String>,
}
