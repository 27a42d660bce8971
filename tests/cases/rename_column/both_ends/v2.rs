use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Maker {
    #[zdm(primary_key)]
    pub id: i64,
}

#[derive(Migratable)]
pub struct Product {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique, renamed_from = "code")]
    pub sku: String,
    #[zdm(references = "makers(id)", renamed_from = "maker")]
    pub brand: i64,
}

#[derive(Migratable)]
pub struct Basket {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "products(sku)", renamed_from = "code")]
    pub sku: String,
    #[zdm(references = "makers(id)")]
    pub maker: i64,
}

#[derive(Migratable)]
pub struct Sale {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "products(sku)", renamed_from = "code")]
    pub sku: String,
    #[zdm(references = "makers(id)")]
    pub maker: i64,
}
