use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "teams", unique(columns(id, code)))]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
    pub code: i64,
}

#[derive(Migratable)]
#[zdm(
    table = "users",
    foreign_key(columns(team, code), references = "teams(id, code)", on_update = "set null", deferrable),
    foreign_key(columns(team), references = "teams(id)", initially_deferred)
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub team: Option<i64>,
    pub code: Option<i64>,
    #[zdm(references = "users(id)", on_delete = "set null", on_update = "cascade")]
    pub boss: Option<i64>,
}
