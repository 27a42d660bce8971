use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "countries")]
pub struct Country {
    #[zdm(primary_key, sql_type = "varchar(2)")]
    pub code: String,
}

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(sql_type = "varchar(3)", references = "countries(code)")]
    pub country: String,
}
