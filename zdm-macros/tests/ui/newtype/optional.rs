use zdm_runtime::Migratable;

type Maybe = Option<i64>;

#[derive(Migratable)]
#[zdm(transparent)]
struct Open(Option<i64>);

#[derive(Migratable)]
#[zdm(transparent)]
struct Hidden(Maybe);

const _: bool = <Hidden as zdm_runtime::ColumnType>::NULLABLE;

fn main() {}
