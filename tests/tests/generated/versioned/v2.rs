use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "pages")]
pub struct Page {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub title: String,
    pub visits: i64,
    #[zdm(version)]
    pub version: i32,
}
