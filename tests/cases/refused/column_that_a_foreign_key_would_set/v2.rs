use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "team_id", references = "teams(id)", on_delete = "set null")]
    pub squad_id: Option<i64>,
}

#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}
