use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Number {
    #[zdm(primary_key, auto, renamed_from = "id")]
    pub number: i64,
}
