use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(transparent, table = "ids")]
struct UserId(#[zdm(unique)] i64);

fn main() {}
