use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(split_from = "users")]
struct WithoutColumns {
    #[zdm(primary_key)]
    user_id: i64,
}

#[derive(Migratable)]
#[zdm(split_from = "order_lines(order_id, line)")]
struct Address {
    #[zdm(primary_key)]
    user_id: i64,
    #[zdm(from("street"), up = "upper(street)", down = "lower(street)")]
    street: String,
    #[zdm(from("city", "land"))]
    city: String,
}

fn main() {}
