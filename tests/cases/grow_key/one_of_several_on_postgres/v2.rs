use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Article {
    #[zdm(primary_key, auto = "always")]
    pub id: i64,
    pub title: String,
}

#[derive(Migratable)]
#[zdm(primary_key(article_id, tag))]
#[zdm(index(columns(tag, article_id), name = "idx_labels_tag", unique))]
pub struct Label {
    #[zdm(references = "articles(id)", on_delete = "cascade", from("article_id"), final_name = "article_id")]
    pub article_id: i64,
    pub tag: String,
    pub note: String,
}
