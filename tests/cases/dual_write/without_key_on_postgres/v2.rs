use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    #[zdm(renamed_from = "page")]
    pub path: String,
    pub seconds: i32,
}
