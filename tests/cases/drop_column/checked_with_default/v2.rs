use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "offers", drops("price", default = "0"))]
pub struct Offer {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub discount: i32,
}
