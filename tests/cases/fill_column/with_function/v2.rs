use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(sql_type = "varchar(40)")]
    pub phone: String,
    pub country: Option<String>,
    #[zdm(
        from("phone", "country"),
        with = "crate::phone::normalize",
        sql_type = "varchar(20)",
        unique
    )]
    pub phone_key: String,
}
