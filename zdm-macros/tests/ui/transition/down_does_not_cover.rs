use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(from("first", "last"), up = "first || last", down = "name")]
    name: String,
    #[zdm(from("street", "town"), up = "street || town", down(street = "address", twon = "address"))]
    address: String,
}

fn main() {}
