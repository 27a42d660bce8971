use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(primary_key(user_id, team_id))]
#[zdm(index(columns(team_id, since), name = "idx_members_team"))]
#[zdm(index(name = "idx_members_first", on("(user_id + 10)"), where = "team_id > 0"))]
#[zdm(check(name = "members_check", expr = "user_id > 0 AND team_id > 0"))]
#[zdm(foreign_key(columns(user_id), references = "users(id)", on_delete = "cascade"))]
pub struct Member {
    pub user_id: i64,
    pub team_id: i64,
    pub since: i32,
    #[zdm(generated = "user_id + team_id")]
    pub both: i64,
}
