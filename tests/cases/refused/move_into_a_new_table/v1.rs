#[derive(Migratable)]
#[zdm(table = "addresses")]
struct Address {
    #[zdm(primary_key)]
    id: i64,
    street: String,
    town: Option<String>,
}
