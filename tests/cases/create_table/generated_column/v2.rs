use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(table = "boxes", index(columns(volume)))]
pub struct Package {
    #[zdm(primary_key)]
    pub id: i64,
    pub width: i32,
    pub user: i32,
    #[zdm(generated = "width * user")]
    pub volume: i32,
}
