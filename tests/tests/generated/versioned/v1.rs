use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "pages")]
pub struct Page {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub visits: i64,
    #[zdm(version)]
    pub version: i32,
}
