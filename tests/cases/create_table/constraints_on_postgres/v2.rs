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
    foreign_key(
        columns(team, code),
        references = "teams(id, code)",
        on_delete = "set null (code)",
        match_full
    ),
    foreign_key(columns(boss), references = "users(id)", not_valid),
    check(name = "users_team", expr = "team > 0", not_valid),
    check(name = "users_code", expr = "code > 0", no_inherit),
    exclude(
        name = "users_ages",
        using = "gist",
        elements("int4range(age, age, '[]') WITH &&"),
        where = "age > 0",
        deferrable
    )
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub team: Option<i64>,
    pub code: Option<i64>,
    pub boss: Option<i64>,
    pub age: i32,
}
