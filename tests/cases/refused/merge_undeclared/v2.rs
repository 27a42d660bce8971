#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key)]
    id: i64,
    name: String,
    street: Option<String>,
    city: Option<String>,
}
