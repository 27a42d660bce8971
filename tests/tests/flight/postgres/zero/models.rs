use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "members")]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    #[zdm(index = "idx_members_city")]
    pub city: String,
    pub route: String,
    pub age: Option<String>,
}
