use zdm_runtime::Migratable;

#[derive(Migratable)]
struct Page {
    #[zdm(primary_key, version)]
    id: i64,
    #[zdm(version)]
    seen: Option<i64>,
}

#[derive(Migratable)]
struct Letter {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(version)]
    written: String,
}

#[derive(Migratable)]
struct Book {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(renamed_from = "edition", version)]
    version: i32,
}

#[derive(Migratable)]
struct Shelf {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(generated = "id + 1", version)]
    version: i64,
}

#[derive(Migratable)]
#[zdm(no_primary_key)]
struct Line {
    #[zdm(version)]
    version: i64,
}

fn main() {}
