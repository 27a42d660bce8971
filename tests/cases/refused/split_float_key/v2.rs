#[derive(Migratable)]
#[zdm(table = "points")]
struct Point {
    #[zdm(primary_key)]
    at: f64,
}

#[derive(Migratable)]
#[zdm(table = "labels", split_from = "points(at)")]
struct Label {
    #[zdm(primary_key, references = "points(at)", on_delete = "cascade")]
    at: f64,
    label: String,
}
