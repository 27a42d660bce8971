use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "users", comment = "people's accounts")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(comment = "what others\ncall them")]
    pub nick: Option<String>,
    #[zdm(renamed_from = "mail", comment = "lower case")]
    pub email: String,
    #[zdm(comment = "in years")]
    pub age: Option<i32>,
}

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(table = "teams", comment = "of people")]
pub struct Team {
    #[zdm(primary_key, comment = "by hand")]
    pub id: i64,
}
