use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "Order", primary_key(user, Id))]
pub struct Order {
    pub user: String,
    #[zdm(column = "Id")]
    pub id: i64,
    #[zdm(column = "Select")]
    pub select: String,
    #[zdm(column = "it's \"quoted\"")]
    pub quoted: Option<String>,
}
