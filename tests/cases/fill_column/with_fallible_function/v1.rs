use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "calls", primary_key(line, at))]
pub struct Call {
    pub line: String,
    pub at: i64,
    pub phone: Option<String>,
}
