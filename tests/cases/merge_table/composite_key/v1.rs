#[derive(Migratable)]
#[zdm(table = "order_lines", primary_key(order_id, line))]
struct OrderLine {
    order_id: i64,
    line: i32,
    product: String,
}

#[derive(Migratable)]
#[zdm(table = "Parcels", primary_key(line, order))]
#[zdm(foreign_key(columns(line, order), references = "order_lines(order_id, line)", on_delete = "cascade"))]
struct Parcel {
    line: i64,
    order: i32,
    #[zdm(sql_type = "varchar(40)")]
    number: String,
    weight: f64,
    product: Option<String>,
}
