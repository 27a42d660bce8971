use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(table = "metadata", no_primary_key)]
pub struct Metadata {
    pub total_downloads: i64,
}

#[derive(Migratable)]
#[zdm(table = "visits", no_primary_key, row_key(page, day))]
#[zdm(index(columns(page, day), unique))]
pub struct Visit {
    pub page: String,
    pub day: chrono::NaiveDate,
    pub count: i64,
}
