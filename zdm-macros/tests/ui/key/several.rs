use zdm_runtime::Migratable;

#[derive(Migratable)]
struct Member {
    #[zdm(primary_key)]
    team: i64,
    #[zdm(primary_key)]
    user: i64,
}

#[derive(Migratable)]
#[zdm(primary_key(team, usr))]
struct Guest {
    #[zdm(primary_key)]
    team: i64,
    user: i64,
}

fn main() {}
