use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    #[zdm(from("seconds"), final_name = "seconds")]
    pub seconds: i64,
}
