#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    #[zdm(index)]
    street: Option<String>,
    #[zdm(sql_type = "varchar(20)")]
    postal: Option<String>,
}
