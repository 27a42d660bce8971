use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(up = "lower(name) || '-' || id", unique)]
    pub slug: String,
}
