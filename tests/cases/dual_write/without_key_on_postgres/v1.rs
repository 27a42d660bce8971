use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    pub page: String,
    pub seconds: i32,
}
