use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "teams", unique(columns(id, code)))]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
    pub code: i64,
}
