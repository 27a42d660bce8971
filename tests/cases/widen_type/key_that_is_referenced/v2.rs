use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "accounts")]
pub struct Account {
    #[zdm(primary_key, sql_type = "text")]
    pub code: String,
}

#[derive(Migratable)]
#[zdm(table = "entries")]
pub struct Entry {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(sql_type = "varchar(10)", references = "accounts(code)")]
    pub account: String,
}

#[derive(Migratable)]
#[zdm(table = "notes", primary_key(account, at))]
pub struct Note {
    #[zdm(references = "accounts(code)", sql_type = "varchar(10)")]
    pub account: String,
    #[zdm(sql_type = "varchar(50)")]
    pub at: String,
}
