use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", index(name = "uq_users_team_nick_email", columns(team, nick), unique, where = "email <> ''"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "mail", unique, default = "''")]
    pub email: String,
    pub team: i64,
    pub nick: String,
}
