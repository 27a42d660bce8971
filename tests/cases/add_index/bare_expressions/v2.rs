use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    index(
        name = "idx_users_smiths",
        on("name = 'Smith'", "age + 1 DESC", "email", "(age - 1)")
    ),
    index(name = "uq_users_mail_of_smiths", on("email", "name = 'Smith'"), unique)
)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
