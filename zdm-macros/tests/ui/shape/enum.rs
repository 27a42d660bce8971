use zdm_runtime::Migratable;

#[derive(Migratable)]
enum Status {
    Open,
    Closed,
}

fn main() {}
