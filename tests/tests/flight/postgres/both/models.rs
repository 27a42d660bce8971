use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "members")]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
    #[zdm(renamed_from = "city", index = "idx_members_town")]
    pub town: String,
    #[zdm(
        from("route"),
        up = "split_part(route, '-', 1)",
        down = "origin || '-' || target"
    )]
    pub origin: String,
    #[zdm(from("route"), up = "split_part(route, '-', 2)")]
    pub target: String,
    #[zdm(
        column = "years",
        from("age"),
        up = "CAST(age AS INTEGER)",
        down = "CAST(years AS TEXT)",
        on_invalid = "quarantine"
    )]
    pub years: Option<i32>,
    #[zdm(up = "id")]
    pub number: i64,
}
