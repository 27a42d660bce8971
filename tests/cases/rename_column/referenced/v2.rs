use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Product {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "code", unique)]
    pub sku: String,
}

#[derive(Migratable)]
#[zdm(foreign_key(columns(product), references = "products(sku)", name = "fk_sales_product_sku"))]
pub struct Sale {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub product: String,
}

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "products(sku)")]
    pub product: String,
}
