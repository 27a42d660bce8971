use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(index(columns(list, place), unique), index(name = "uq_entries_word", columns(word), unique, where = "hidden = 0"))]
pub struct Entry {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub list: i64,
    pub place: Option<i64>,
    #[zdm(unique)]
    pub mark: Option<i64>,
    pub hidden: Option<i64>,
    pub word: String,
}
