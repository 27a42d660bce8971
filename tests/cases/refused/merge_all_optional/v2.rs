#[derive(Migratable)]
#[zdm(table = "users", merged_from = "addresses(user_id)")]
struct User {
    #[zdm(primary_key)]
    id: i64,
    name: String,
    street: Option<String>,
    city: Option<String>,
}
