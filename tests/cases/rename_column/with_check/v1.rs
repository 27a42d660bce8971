use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "ranges", check(name = "ranges_ordered", expr = "low <= high"))]
pub struct Range {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub low: i32,
    pub high: i32,
}
