#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
}

#[derive(Migratable)]
#[zdm(table = "streets", split_from = "users(id)")]
struct Street {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    user_id: i64,
    street: String,
}

#[derive(Migratable)]
#[zdm(table = "towns", split_from = "users(id)")]
struct Town {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    user_id: i64,
    city: String,
}
