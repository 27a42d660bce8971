#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    #[zdm(moved_from = "addresses.town")]
    town: Option<String>,
}

#[derive(Migratable)]
#[zdm(table = "addresses")]
struct Address {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(unique, references = "users(id)")]
    user_id: i64,
    #[zdm(unique, references = "users(id)")]
    guest_id: i64,
    street: String,
}
