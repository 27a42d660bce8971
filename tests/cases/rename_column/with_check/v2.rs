use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "ranges", check(name = "ranges_in_order", expr = "min_low <= high"))]
pub struct Range {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "low")]
    pub min_low: i32,
    pub high: i32,
}
