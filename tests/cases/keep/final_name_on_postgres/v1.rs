use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(primary_key(id))]
pub struct Team {
    pub id: i64,
}

#[derive(Migratable)]
#[zdm(index(columns(team, born), name = "idx_users_team_born"))]
#[zdm(index(name = "idx_users_year", on("(born + 1) DESC"), where = "team > 0"))]
#[zdm(unique(columns(team, name), name = "users_team_name"))]
#[zdm(check(name = "users_team_check", expr = "team > 0 AND born IS NOT NULL"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(references = "teams(id)", default = "1")]
    pub team: i32,
    #[zdm(comment = "year of birth")]
    pub born: i32,
}
