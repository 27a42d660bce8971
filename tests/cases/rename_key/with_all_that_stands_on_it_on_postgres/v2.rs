use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto, renamed_from = "id")]
    pub user_id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(primary_key(account_id, group_id))]
#[zdm(index(columns(group_id, since), name = "idx_members_team"))]
#[zdm(index(name = "idx_members_first", on("(account_id + 10)"), where = "group_id > 0"))]
#[zdm(check(name = "members_check", expr = "account_id > 0 AND group_id > 0"))]
#[zdm(foreign_key(columns(account_id), references = "users(user_id)", on_delete = "cascade"))]
pub struct Member {
    #[zdm(renamed_from = "user_id")]
    pub account_id: i64,
    #[zdm(renamed_from = "team_id")]
    pub group_id: i64,
    pub since: i32,
    #[zdm(generated = "account_id + group_id")]
    pub both: i64,
}
