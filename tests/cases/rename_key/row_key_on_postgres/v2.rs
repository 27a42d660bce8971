use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(no_primary_key, row_key(family, code))]
#[zdm(unique(columns(family, code), name = "codes_kind_code"))]
pub struct Code {
    #[zdm(renamed_from = "kind")]
    pub family: String,
    pub code: String,
    pub label: Option<String>,
}
