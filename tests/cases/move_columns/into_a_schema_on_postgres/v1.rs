#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
}

#[derive(Migratable)]
#[zdm(table = "addresses")]
struct Address {
    #[zdm(primary_key, references = "billing.users(id)", on_delete = "cascade")]
    user_id: i64,
    street: String,
    #[zdm(index)]
    town: Option<String>,
    #[zdm(sql_type = "varchar(20)")]
    postal_code: Option<String>,
}
