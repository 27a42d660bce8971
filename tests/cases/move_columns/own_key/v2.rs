#[derive(Migratable)]
#[zdm(table = "order_lines", primary_key(order_id, line))]
struct OrderLine {
    order_id: i64,
    line: String,
    #[zdm(column = "group", moved_from = "Parcels.user")]
    weight: Option<i32>,
}

#[derive(Migratable)]
#[zdm(
    table = "Parcels",
    unique(columns(order_id, line)),
    foreign_key(columns(order_id, line), references = "order_lines(order_id, line)")
)]
struct Parcel {
    #[zdm(primary_key, auto)]
    id: i64,
    order_id: i64,
    line: String,
    #[zdm(references = "depots(id)")]
    depot: i64,
}

#[derive(Migratable)]
#[zdm(table = "depots")]
struct Depot {
    #[zdm(primary_key)]
    id: i64,
}
