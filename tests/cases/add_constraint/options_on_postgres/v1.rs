use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "teams", unique(columns(id, code)))]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
    pub code: i64,
}

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub team: Option<i64>,
    pub code: Option<i64>,
    pub boss: Option<i64>,
}
