use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "follows", primary_key(user_id, crate_id))]
pub struct Follow {
    pub user_id: i64,
    #[zdm(index)]
    pub crate_id: i64,
}
