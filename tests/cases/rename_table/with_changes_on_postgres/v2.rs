use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(renamed_from = "users", drops("age", default = "1"))]
#[zdm(index(columns(name)))]
pub struct Customer {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub email: String,
    pub name: String,
    #[zdm(references = "customers(id)")]
    pub parent_id: Option<i64>,
    pub note: Option<String>,
}

#[derive(Migratable)]
pub struct Visit {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "customers(id)")]
    pub user_id: i64,
}
