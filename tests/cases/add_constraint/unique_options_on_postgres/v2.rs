use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", unique(columns(name), include(age), nulls_not_distinct, deferrable), unique(columns(age), initially_deferred))]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
