use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(renamed_from = "users")]
pub struct Customer {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}
