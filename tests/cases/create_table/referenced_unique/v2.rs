use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub name: String,
}

#[derive(Migratable)]
pub struct Product {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub code: String,
    #[zdm(references = "products(code)")]
    pub instead_of: Option<String>,
}

#[derive(Migratable)]
pub struct Basket {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "products(code)")]
    pub product: String,
}

#[derive(Migratable)]
pub struct Badge {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "users(name)")]
    pub owner: String,
}
