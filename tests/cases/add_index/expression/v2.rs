use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    index(
        name = "idx_users_lower_email",
        on("lower(email)", "name DESC"),
        where = "email IS NOT NULL"
    )
)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
