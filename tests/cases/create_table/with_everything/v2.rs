use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", check(name = "users_order_positive", expr = "\"order\" > 0"), index(columns(team_id, order), where = "team_id IS NOT NULL"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique, index = "idx_users_email")]
    pub email: String,
    #[zdm(references = "teams(id)", on_delete = "set null")]
    pub team_id: Option<i64>,
    #[zdm(default = "now()")]
    pub created_at: String,
    pub order: i32,
}

#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}
