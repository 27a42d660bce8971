use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "members")]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    pub full_name: Option<String>,
    #[zdm(renamed_from = "city", index = "idx_members_town")]
    pub town: Option<String>,
    #[zdm(
        from("route"),
        up = "substr(route, 1, instr(route, '-') - 1)",
        down = "origin || '-' || target"
    )]
    pub origin: Option<String>,
    #[zdm(from("route"), up = "substr(route, instr(route, '-') + 1)")]
    pub target: Option<String>,
    #[zdm(
        column = "years",
        from("age"),
        up = "CAST(age AS INTEGER)",
        down = "CAST(years AS TEXT)",
        valid_if = "age NOT GLOB '*[^0-9]*'",
        on_invalid = "quarantine"
    )]
    pub years: Option<i32>,
}

/// It gets a column in the version that renames one of another table.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "teams")]
pub struct Team {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "label")]
    pub title: Option<String>,
    pub note: Option<String>,
}
