use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(merged_from = "addresses")]
struct WithoutColumns {
    #[zdm(primary_key)]
    id: i64,
}

#[derive(Migratable)]
#[zdm(merged_from = "addresses(user_id, line)")]
struct User {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(from("street"), up = "upper(street)", down = "lower(street)")]
    street: Option<String>,
    #[zdm(from("city", "land"))]
    city: Option<String>,
}

#[derive(Migratable)]
#[zdm(split_from = "users(id)", merged_from = "addresses(user_id)")]
struct Both {
    #[zdm(primary_key)]
    id: i64,
}

fn main() {}
