use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(
    unique,
    unique(name = "nothing"),
    unique(columns(nome)),
    unique(columns(name), where = "id > 0"),
    unique(columns(name), name = "idx_users_name"),
    index(columns(name))
)]
struct User {
    #[zdm(primary_key)]
    id: i64,
    name: String,
}

#[derive(Migratable)]
#[zdm(primary_key(id, name = 7))]
struct Team {
    #[zdm(unique(columns(id)))]
    id: i64,
}

fn main() {}
