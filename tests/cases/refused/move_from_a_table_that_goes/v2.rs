#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
    #[zdm(moved_from = "addresses.town")]
    town: Option<String>,
}
