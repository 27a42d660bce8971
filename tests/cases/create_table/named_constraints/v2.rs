use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
}

#[derive(Migratable)]
#[zdm(table = "seats", primary_key(room, number, name = "seats_key"), unique(columns(number, owner)))]
pub struct Seat {
    pub room: String,
    pub number: i64,
    pub owner: Option<i64>,
}

#[derive(Migratable)]
#[zdm(
    table = "tickets",
    primary_key(id, name = "tickets_key"),
    foreign_key(columns(number, owner), references = "seats(number, owner)")
)]
pub struct Ticket {
    #[zdm(auto)]
    pub id: i64,
    pub number: i64,
    pub owner: i64,
}
