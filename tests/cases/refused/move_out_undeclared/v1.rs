#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    street: Option<String>,
}

#[derive(Migratable)]
#[zdm(table = "profiles")]
struct Profile {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    user_id: i64,
    bio: Option<String>,
}
