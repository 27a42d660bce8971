use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(index(columns(name, nmae)), foreign_key(columns(team), references = "teams(id)"))]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    name: String,
}

fn main() {}
