use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "members")]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: Option<String>,
    #[zdm(index = "idx_members_city")]
    pub city: Option<String>,
    pub route: Option<String>,
    pub age: Option<String>,
}

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "teams")]
pub struct Team {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub label: Option<String>,
}
