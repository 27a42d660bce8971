use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User<T> {
    #[zdm(primary_key)]
    id: T,
}

fn main() {}
