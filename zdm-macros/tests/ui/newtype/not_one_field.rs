use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(transparent)]
struct Pair(i64, i64);

#[derive(Migratable)]
#[zdm(transparent)]
struct Named {
    id: i64,
}

fn main() {}
