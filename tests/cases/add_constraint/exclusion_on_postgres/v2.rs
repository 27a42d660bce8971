use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    exclude(
        name = "users_ages",
        using = "gist",
        elements("int4range(age, age, '[]') WITH &&"),
        where = "age > 0",
        deferrable
    ),
    exclude(name = "users_next_age", elements("age + 1 WITH ="))
)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
