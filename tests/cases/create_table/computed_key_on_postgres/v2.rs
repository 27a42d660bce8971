use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "prefixes", primary_key(bucket, level, name))]
pub struct Prefix {
    pub bucket: String,
    #[zdm(generated = "length(name)")]
    pub level: i32,
    pub name: String,
    pub note: Option<String>,
}
