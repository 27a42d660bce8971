#[derive(Migratable)]
#[zdm(table = "points")]
struct Point {
    #[zdm(primary_key)]
    at: f64,
    label: Option<String>,
}
