use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "offers", check(name = "offers_price", expr = "price >= discount"))]
pub struct Offer {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub price: i32,
    pub discount: i32,
}
