use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "calls", primary_key(line, at))]
pub struct Call {
    pub line: String,
    pub at: i64,
    #[zdm(sql_type = "varchar(40)")]
    pub phone: Option<String>,
    pub country: i16,
}
