use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Product {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub code: String,
}

#[derive(Migratable)]
pub struct Basket {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub product: String,
}
