#[derive(Migratable)]
#[zdm(table = "order_lines", primary_key(order_id, line))]
struct OrderLine {
    order_id: i64,
    line: i32,
    product: String,
    #[zdm(sql_type = "varchar(40)")]
    order: Option<String>,
    weight: Option<f64>,
}
