use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(foreign_key(columns(team, group), references = "t(a)"))]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(references = "teams(a, b)")]
    team: i64,
    #[zdm(on_delete = "cascade")]
    group: i64,
    #[zdm(references = "rooms(id)", on_delete = "set null")]
    room: i64,
    #[zdm(references = "rooms(id)", on_delete = "set default")]
    other: i64,
}

fn main() {}
