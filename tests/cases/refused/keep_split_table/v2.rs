#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
}

#[derive(Migratable)]
#[zdm(table = "addresses", split_from = "users(id)")]
struct Address {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    user_id: i64,
    #[zdm(index)]
    street: String,
    #[zdm(from("postal"), sql_type = "varchar(20)")]
    postal_code: Option<String>,
}
