#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub street: Option<String>,
    #[zdm(sql_type = "varchar(20)")]
    pub postal: Option<String>,
}
