// Included once per database, so that each has structs of its own.

use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq, Eq)]
#[zdm(merged_from = "addresses(user_id)")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub street: Option<String>,
    pub house: Option<i32>,
    #[zdm(from("postal_code"), sql_type = "varchar(20)")]
    pub postal: Option<String>,
}
