//! Aliases and newtypes count as what they stand for; a column with `sql_type` can have any type.

use zdm_runtime::{Generated, Migratable};

type TeamId = i64;
type Nick = Option<String>;
type Price = Option<Decimal>;

struct Decimal;

#[derive(Migratable)]
#[zdm(transparent)]
struct UserId(i64);

#[derive(Migratable)]
#[zdm(table = "users")]
#[allow(dead_code)]
struct Resolved {
    #[zdm(primary_key)]
    id: UserId,
    team: Option<TeamId>,
    nick: Nick,
    #[zdm(sql_type = "numeric(10, 2)")]
    price: Price,
    #[zdm(sql_type = "numeric(10, 2)")]
    discount: Decimal,
}

#[derive(Migratable)]
#[zdm(table = "users")]
#[allow(dead_code)]
struct Plain {
    #[zdm(sql_type = "numeric(10, 2)")]
    discount: Decimal,
    #[zdm(sql_type = "numeric(10, 2)")]
    price: Option<Decimal>,
    nick: Option<String>,
    team: Option<i64>,
    #[zdm(primary_key)]
    id: i64,
}

impl Generated for Resolved {
    const FINGERPRINT: u64 = <Plain as Migratable>::FINGERPRINT;
}

impl Generated for Plain {
    const FINGERPRINT: u64 = <Resolved as Migratable>::FINGERPRINT;
}

fn main() {
    assert_eq!(Resolved::TABLE, "users");
}
