use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Member {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "teams(id)", on_delete = "cascade")]
    pub team_id: i64,
}

#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
}
