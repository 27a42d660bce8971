use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    foreign_key(columns(team, room), references = "t(a, b)", on_delete = "cascade (team)"),
    foreign_key(columns(team, room), references = "t(b, a)", on_delete = "set null (other)", name = "b"),
    foreign_key(columns(team, room), references = "t(c, d)", on_update = "set null (room)", name = "c"),
    foreign_key(columns(team, room), references = "t(e, f)", on_delete = "set null (room)", on_update = "set null", name = "d")
)]
struct User {
    #[zdm(primary_key)]
    id: i64,
    team: i64,
    room: Option<i64>,
    #[zdm(on_update = "cascade")]
    other: Option<i64>,
    #[zdm(references = "rooms(id)", on_update = "set null")]
    always: i64,
}

fn main() {}
