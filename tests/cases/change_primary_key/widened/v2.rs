use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "limits", primary_key(user_id, action))]
pub struct Limit {
    pub user_id: i64,
    pub burst: i64,
    #[zdm(default = "0")]
    pub action: i64,
}
