use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "app", table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(default = "gen_random_uuid()")]
    pub token: Option<uuid::Uuid>,
}
