#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    #[zdm(moved_from = "addresses.postal_code", sql_type = "varchar(20)")]
    postal: Option<String>,
    #[zdm(moved_from = "addresses.town")]
    town: Option<String>,
}

#[derive(Migratable)]
#[zdm(table = "addresses")]
struct Address {
    #[zdm(primary_key, references = "billing.users(id)", on_delete = "cascade")]
    user_id: i64,
    street: String,
}
