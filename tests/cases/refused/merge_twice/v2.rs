#[derive(Migratable)]
#[zdm(table = "users", merged_from = "addresses(user_id)")]
struct User {
    #[zdm(primary_key)]
    id: i64,
    name: String,
    street: Option<String>,
    city: Option<String>,
}

#[derive(Migratable)]
#[zdm(table = "towns", split_from = "users(id)")]
struct Town {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    user_id: i64,
    town: String,
}
