use zdm_runtime::Migratable;

#[derive(Migratable)]
struct Ticket {
    #[zdm(primary_key, auto = "sometimes")]
    id: i64,
    #[zdm(auto)]
    number: Option<i64>,
    #[zdm(auto = "serial")]
    name: String,
}

fn main() {}
