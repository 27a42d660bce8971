use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(table = "tickets")]
pub struct Ticket {
    #[zdm(primary_key, auto = "always")]
    pub id: i32,
    pub name: String,
}

#[derive(Migratable)]
#[zdm(table = "stamps")]
pub struct Stamp {
    #[zdm(primary_key, auto = "serial")]
    pub id: i64,
    pub name: String,
}
