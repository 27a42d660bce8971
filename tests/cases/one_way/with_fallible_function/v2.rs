use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "calls", primary_key(line, at))]
pub struct Call {
    pub line: String,
    pub at: i64,
    #[zdm(
        from("phone", "country"),
        with = "crate::phone::number",
        one_way,
        on_invalid = "quarantine",
        unique
    )]
    pub number: Option<i64>,
}
