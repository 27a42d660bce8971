use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "members", primary_key(user_id, group_id))]
pub struct Member {
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
