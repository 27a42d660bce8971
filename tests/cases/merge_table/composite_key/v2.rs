#[derive(Migratable)]
#[zdm(table = "order_lines", merged_from = "Parcels(line, order)", primary_key(order_id, line))]
struct OrderLine {
    order_id: i64,
    line: i32,
    product: String,
    #[zdm(from("number"), sql_type = "varchar(40)")]
    order: Option<String>,
    weight: Option<f64>,
    #[zdm(from("product"))]
    sent_as: Option<String>,
}
