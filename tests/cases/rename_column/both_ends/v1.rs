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
    #[zdm(unique)]
    pub code: String,
    #[zdm(references = "makers(id)")]
    pub maker: i64,
}

#[derive(Migratable)]
pub struct Basket {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "products(code)")]
    pub code: String,
    #[zdm(references = "makers(id)")]
    pub maker: i64,
}

#[derive(Migratable)]
pub struct Sale {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "products(code)")]
    pub code: String,
    #[zdm(references = "makers(id)")]
    pub maker: i64,
}
