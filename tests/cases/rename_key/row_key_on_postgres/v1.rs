use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(no_primary_key, row_key(kind, code))]
#[zdm(unique(columns(kind, code), name = "codes_kind_code"))]
pub struct Code {
    pub kind: String,
    pub code: String,
    pub label: Option<String>,
}
