use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "limits")]
pub struct Limit {
    #[zdm(primary_key)]
    pub user_id: i64,
    pub burst: i64,
}
