use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Number {
    #[zdm(primary_key, auto)]
    pub id: i64,
}
