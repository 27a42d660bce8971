// Included once per database, so that each has structs of its own.

use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(primary_key(order_id, line))]
pub struct OrderLine {
    pub order_id: i64,
    pub line: String,
    pub product: String,
}

/// The names of its key are the old table's, those of other columns change places, and words of SQL are among them.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "Parcels", split_from = "order_lines(order_id, line)", primary_key(order_id, line))]
#[zdm(foreign_key(columns(order_id, line), references = "order_lines(order_id, line)", on_delete = "cascade"))]
pub struct Parcel {
    #[zdm(from("sent"))]
    pub weight: Option<bool>,
    pub line: String,
    pub order_id: i64,
    #[zdm(from("order"), sql_type = "varchar(40)")]
    pub r#type: Option<String>,
    #[zdm(from("weight"))]
    pub order: f64,
}
