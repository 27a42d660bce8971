use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "members", primary_key(team, name))]
pub struct Member {
    pub team: i64,
    pub name: String,
    pub role: String,
}
