use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(index(columns(name, id), name = "idx_authors_name_id"))]
pub struct Author {
    #[zdm(primary_key, auto)]
    pub id: i32,
    pub name: String,
    #[zdm(references = "billing.authors(id)")]
    pub invited_by: Option<i32>,
}

#[derive(Migratable)]
#[zdm(schema = "billing")]
#[zdm(foreign_key(
    name = "posts_author_fkey",
    columns(author_id),
    references = "billing.authors(id)",
    on_delete = "cascade",
    on_update = "cascade",
    initially_deferred
))]
#[zdm(primary_key(slug))]
pub struct Post {
    pub slug: String,
    pub author_id: i32,
}
