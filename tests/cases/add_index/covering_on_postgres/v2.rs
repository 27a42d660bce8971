use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    table = "users",
    index(columns(email), unique, nulls_not_distinct, include(name, age), with = "fillfactor = 70"),
    index(name = "idx_users_name_pattern", on("name text_pattern_ops DESC NULLS LAST"), using = "btree"),
    index(columns(age), using = "brin")
)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}
