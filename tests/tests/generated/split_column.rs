//! A column that two others share, at every stage, against real databases.

use zdm_runtime::database::{Connection, Value};
use zdm_runtime::{Stage, Zdm};

use crate::live::{enter, postgres, prepare, sqlite};

/// One test per database: the same steps with each one's types.
macro_rules! is_split {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::$module::models::Parcel;
            use crate::$module::zdm::CODE;
            use crate::$module::zdm::parcels::{Parcels, fragments};

            let (_guard, url) = $url;
            let mut operator = Connection::open(&url).await.unwrap();
            prepare(&mut operator).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let parcels = Parcels::new(&zdm).unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let parcel = |id, origin: &str, number: &str| Parcel {
                id,
                origin: origin.to_owned(),
                number: number.to_owned(),
            };

            for (id, stage) in (1..).zip(Stage::ALL) {
                enter(&mut operator, stage, 10_000).await;
                let stored = |code: &'static str, origin: &'static str, number: &'static str| {
                    let old = (stage != Stage::Complete).then_some(code);
                    let new = stage != Stage::Off;
                    [old, new.then_some(origin), new.then_some(number)]
                };

                parcels.insert(conn, &parcel(id, "DE", "1")).await.unwrap();
                assert_eq!(of(&mut operator, id).await, stored("DE1", "DE", "1"));
                parcels.upsert(conn, &parcel(id, "FR", "2")).await.unwrap();
                assert_eq!(of(&mut operator, id).await, stored("FR2", "FR", "2"));
                assert!(parcels.update(conn, &parcel(id, "AT", "3")).await.unwrap());
                assert_eq!(of(&mut operator, id).await, stored("AT3", "AT", "3"));
                assert!(parcels.set_origin(conn, id, "CH").await.unwrap());
                assert_eq!(of(&mut operator, id).await, stored("CH3", "CH", "3"));
                assert!(parcels.set_number(conn, id, "44").await.unwrap());
                assert_eq!(of(&mut operator, id).await, stored("CH44", "CH", "44"));
                let read = parcels.get(conn, id).await.unwrap();
                assert_eq!(read, Some(parcel(id, "CH", "44")));

                let flags = parcels.flags().refresh(conn).await.unwrap();
                let update = format!(
                    "UPDATE parcels SET {} WHERE id = $2 AND {}",
                    fragments::set_number(flags, "$1"),
                    fragments::guard("$3"),
                );
                let query = sqlx::query(sqlx::AssertSqlSafe(update));
                let query = query.bind("55").bind(id).bind(flags.epoch());
                assert_eq!(query.execute(&mut *conn).await.unwrap().rows_affected(), 1);
                assert_eq!(of(&mut operator, id).await, stored("CH55", "CH", "55"));

                if stage == Stage::Off || stage == Stage::Complete {
                    continue;
                }
                // Both sides agree by the way back alone: neither part may take what is the other's.
                store(&mut operator, id, "'B'", "'E7'", "'BE7'").await;
                assert!(parcels.set_number(conn, id, "E8").await.unwrap());
                assert_eq!(of(&mut operator, id).await, ["BE8", "B", "E8"].map(Some));
                // A row from before has no new side yet; what is not written comes out of old.
                if stage != Stage::RampDown {
                    store(&mut operator, id, "NULL", "NULL", "'IT9'").await;
                    assert!(parcels.set_origin(conn, id, "ES").await.unwrap());
                    assert_eq!(of(&mut operator, id).await, ["ES9", "ES", "9"].map(Some));
                    continue;
                }
                // Back from `complete`, old is stale; what is not written stays as it is.
                for stale in ["'IT9'", "NULL"] {
                    store(&mut operator, id, "'PT'", "'10'", stale).await;
                    assert!(parcels.set_origin(conn, id, "ES").await.unwrap());
                    assert_eq!(of(&mut operator, id).await, ["ES10", "ES", "10"].map(Some));
                }
            }
            zdm.close().await.unwrap();
        }
    };
}

is_split!(sqlite_splits_a_column, sqlite, sqlx::SqlitePool, sqlite());
is_split!(postgres_splits_a_column, postgres, sqlx::PgPool, postgres());

/// What a row holds: the old column, and both new ones.
async fn of(operator: &mut Connection, id: i64) -> [Option<&'static str>; 3] {
    let query = "SELECT code, origin, number FROM parcels WHERE id = $1";
    let rows = operator.query(query, &[id.into()]).await.unwrap();
    let row: [Value; 3] = rows[0].clone().try_into().unwrap();
    row.map(|value| match value {
        Value::Text(text) => text.map(|text| &*text.leak()),
        other @ Value::Int(_) => panic!("{other:?}"),
    })
}

/// A row as old code, a backfill or a stage at which one side was written have left it.
async fn store(operator: &mut Connection, id: i64, origin: &str, number: &str, code: &str) {
    let update = format!(
        "UPDATE parcels SET code = {code}, origin = {origin}, number = {number} WHERE id = $1"
    );
    operator.execute(&update, &[id.into()]).await.unwrap();
}
