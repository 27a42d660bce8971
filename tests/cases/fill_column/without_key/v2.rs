use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    pub page: String,
    pub rowid: i64,
    #[zdm(up = "lower(page)")]
    pub page_key: String,
}
