use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Author {
    #[zdm(primary_key, auto)]
    pub id: i32,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(primary_key(slug))]
pub struct Post {
    pub slug: String,
    #[zdm(references = "authors(id)")]
    pub author_id: i32,
}
