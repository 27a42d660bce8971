use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Product {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub code: String,
}

#[derive(Migratable)]
pub struct Basket {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "products(code)")]
    pub product: String,
}
