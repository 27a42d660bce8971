use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(tabel = "people")]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(uniqe)]
    email: String,
    #[zdm(sqltype = "text")]
    name: String,
}

fn main() {}
