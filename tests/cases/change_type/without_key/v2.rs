use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    #[zdm(renamed_from = "page")]
    pub path: String,
    #[zdm(
        column = "duration",
        from("seconds"),
        up(
            postgres = "CAST(seconds AS integer)",
            sqlite = "CAST(seconds AS integer)"
        ),
        down(
            postgres = "coalesce(duration, 0)::text",
            sqlite = "CAST(coalesce(duration, 0) AS text)"
        ),
        valid_if(postgres = "seconds ~ '^[0-9]{1,9}$'", sqlite = "seconds GLOB '[0-9]' OR seconds GLOB '[0-9][0-9]'"),
        on_invalid = "null"
    )]
    pub seconds: Option<i32>,
    #[zdm(up = "upper(agent)")]
    pub agent_key: String,
    pub agent: String,
}
