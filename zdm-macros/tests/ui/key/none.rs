use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(no_primary_key)]
struct Both {
    #[zdm(primary_key)]
    id: i64,
}

#[derive(Migratable)]
#[zdm(row_key(name))]
struct Alone {
    name: String,
}

#[derive(Migratable)]
#[zdm(no_primary_key, row_key(name))]
struct Shared {
    name: String,
}

#[derive(Migratable)]
#[zdm(no_primary_key, row_key(name))]
struct Nullable {
    #[zdm(unique)]
    name: Option<String>,
}

fn main() {}
