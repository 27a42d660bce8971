use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "zdm_users")]
struct User {
    #[zdm(primary_key)]
    id: i64,
}

#[derive(Migratable)]
#[zdm(table = "app.orders")]
struct Order {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(column = "ID")]
    other: i64,
}

#[derive(Migratable)]
#[zdm(schema = "zdm", table = "stages")]
struct Stage {
    #[zdm(primary_key)]
    id: i64,
}

#[derive(Migratable)]
#[zdm(schema = "app.shop", table = "orders", renamed_from = "app.bills")]
struct Bill {
    #[zdm(primary_key)]
    id: i64,
}

fn main() {}
