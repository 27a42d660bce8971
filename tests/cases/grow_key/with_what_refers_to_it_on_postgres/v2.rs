use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Author {
    #[zdm(primary_key, auto, from("id"), final_name = "id")]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(primary_key(slug))]
pub struct Post {
    pub slug: String,
    #[zdm(references = "authors(id)", from("author_id"), final_name = "author_id")]
    pub author_id: i64,
}
