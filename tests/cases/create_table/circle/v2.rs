use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
}

#[derive(Migratable)]
#[zdm(table = "branches")]
pub struct Branch {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "commits(id)")]
    pub head: Option<i64>,
}

#[derive(Migratable)]
#[zdm(table = "commits")]
pub struct Commit {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "branches(id)")]
    pub branch: Option<i64>,
    pub author: i64,
}

#[derive(Migratable)]
#[zdm(table = "tags")]
pub struct Tag {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "branches(id)")]
    pub branch: i64,
}
