use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "calls", primary_key(line, at))]
pub struct Call {
    pub line: String,
    pub at: i64,
    pub phone: Option<String>,
    #[zdm(
        from("phone", "at"),
        with = "crate::phone::area",
        on_invalid = "quarantine"
    )]
    pub area: i32,
}
