use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", index(columns(team, nick), unique, where = "mail <> ''"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique, default = "''")]
    pub mail: String,
    pub team: i64,
    pub nick: String,
}
