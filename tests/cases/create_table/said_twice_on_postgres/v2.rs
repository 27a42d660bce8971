use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users", unique(columns(id)))]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
}

#[derive(Migratable)]
#[zdm(
    table = "stats",
    unique(columns(project)),
    unique(columns(number), name = "by_number"),
    unique(columns(number), name = "by_number_again")
)]
pub struct Stat {
    #[zdm(primary_key)]
    pub project: String,
    pub number: i64,
}
