use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "members")]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    pub full_name: Option<String>,
    #[zdm(index = "idx_members_town")]
    pub town: Option<String>,
    pub origin: Option<String>,
    pub target: Option<String>,
    #[zdm(column = "years")]
    pub years: Option<i32>,
}

/// It gets a column in the version that renames one of another table.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "teams")]
pub struct Team {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub title: Option<String>,
    pub note: Option<String>,
}
