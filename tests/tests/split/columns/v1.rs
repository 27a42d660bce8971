// Included once per database, so that each has structs of its own.

use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq, Eq)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable, Debug, Clone, PartialEq, Eq)]
#[zdm(table = "addresses")]
pub struct Address {
    #[zdm(
        primary_key,
        references = "users(id)",
        on_delete = "cascade",
        on_update = "cascade"
    )]
    pub user_id: i64,
    pub street: String,
    pub town: Option<String>,
    #[zdm(sql_type = "varchar(20)")]
    pub postal_code: Option<String>,
}
