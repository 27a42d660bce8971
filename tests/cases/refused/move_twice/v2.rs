#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    #[zdm(moved_from = "addresses.town")]
    town: Option<String>,
    #[zdm(moved_from = "letters.stamp")]
    stamp: Option<String>,
}

#[derive(Migratable)]
#[zdm(table = "addresses")]
struct Address {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    user_id: i64,
    street: String,
}

#[derive(Migratable)]
#[zdm(table = "letters")]
struct Letter {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    user_id: i64,
    seal: Option<String>,
}
