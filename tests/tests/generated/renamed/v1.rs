use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(sql_type = "varchar(255)")]
    pub name: String,
    pub email: Option<String>,
}
