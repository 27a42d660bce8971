use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", primary_key(id))]
pub struct User {
    pub id: i64,
    pub name: String,
    pub nick: Option<String>,
}
