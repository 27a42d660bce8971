use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "members")]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    pub full_name: String,
    #[zdm(index = "idx_members_town")]
    pub town: String,
    pub origin: String,
    pub target: String,
    #[zdm(column = "years")]
    pub years: Option<i32>,
    pub number: i64,
}
