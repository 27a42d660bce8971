use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    check(name = "phone_has_digits", expr = "phone ~ '^[0-9]+$'"),
    index(columns(id), name = "by_city", where = "city <> ''")
)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(sql_type = "varchar(20)")]
    pub phone: String,
    #[zdm(sql_type = "varchar(20)")]
    pub city: Option<String>,
}
