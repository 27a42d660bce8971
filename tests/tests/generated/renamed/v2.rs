use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "name", sql_type = "varchar(255)")]
    pub full_name: String,
    pub email: Option<String>,
}
