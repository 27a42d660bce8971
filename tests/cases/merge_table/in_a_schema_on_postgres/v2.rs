#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "users", merged_from = "billing.addresses(user_id)")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    street: Option<String>,
    #[zdm(from("postal_code"), sql_type = "varchar(20)")]
    postal: Option<String>,
}
