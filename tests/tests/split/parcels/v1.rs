#[derive(Migratable)]
#[zdm(primary_key(order_id, line))]
pub struct OrderLine {
    pub order_id: i64,
    pub line: String,
    pub product: String,
    #[zdm(sql_type = "varchar(40)")]
    pub order: Option<String>,
    pub weight: Option<f64>,
    pub sent: Option<bool>,
}
