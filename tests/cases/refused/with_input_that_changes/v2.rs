use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(sql_type = "varchar(80)")]
    pub phone: String,
    #[zdm(from("phone"), with = "crate::phone::normalize")]
    pub phone_key: String,
}
