use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "members", index(columns(user_id, group_id), unique))]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub group_id: i64,
}

#[derive(Migratable)]
#[zdm(
    table = "roles",
    foreign_key(columns(group_id, user_id), references = "members(group_id, user_id)")
)]
pub struct Role {
    #[zdm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub group_id: i64,
}
