use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    #[zdm(
        column = "duration",
        from("seconds"),
        up = "CAST(seconds AS integer)",
        down = "CAST(duration AS text)",
        valid_if = "seconds IN ('1', '2')",
        on_invalid = "reject"
    )]
    pub seconds: i32,
}
