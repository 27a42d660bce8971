use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "follows", no_primary_key)]
pub struct Follow {
    pub user_id: i64,
    #[zdm(index)]
    pub crate_id: i64,
}
