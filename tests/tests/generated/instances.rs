//! Generated code in several instances, of which a share reads new: exactly those whose names are in it, after a restart too.

use zdm_runtime::database::Connection;
use zdm_runtime::{By, Share, Stage, Zdm};

use crate::live::{MIGRATION, enter, postgres, prepare, sqlite};

const NAMES: [&str; 8] = [
    "web-1", "web-2", "web-3", "web-4", "web-5", "web-6", "web-7", "web-8",
];

/// What a hop to a share of the instances does, without its gates.
async fn share_out(operator: &mut Connection, points: u32) {
    enter(operator, Stage::Live, 0).await;
    let share = "UPDATE {zdm}stage SET read_instances = $1";
    let values = [i64::from(points).into()];
    operator.execute(share, &values).await.unwrap();
    operator
        .execute("UPDATE {zdm}fence SET epoch = epoch + 1", &[])
        .await
        .unwrap();
}

/// Those whose names are in a share.
fn expected(points: u32) -> Vec<&'static str> {
    let share = Share::of(points, By::Instance);
    let reads = |name: &&str| share.of_instance(MIGRATION, name) > 0;
    NAMES.into_iter().filter(reads).collect()
}

/// One test per database: the same steps with each one's types.
macro_rules! reads_by_instance {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::$module::zdm::{CODE, users::Users};

            let (_guard, url) = $url;
            let mut operator = Connection::open(&url).await.unwrap();
            prepare(&mut operator).await;
            // Sides that tell who reads which; no generated write would leave them so.
            for id in 1..=20 {
                let row =
                    format!("INSERT INTO users (id, name, full_name) VALUES ({id}, 'old', 'new')");
                operator.execute(&row, &[]).await.unwrap();
            }
            let pool = <$pool>::connect(&url).await.unwrap();
            let mut fleet = Vec::new();
            for name in NAMES {
                let zdm = Zdm::connect_as(pool.clone(), &CODE, name).await.unwrap();
                fleet.push(zdm);
            }
            // Who reads new, without a beat in between: each first read carries an old epoch.
            let readers = async |fleet: &[Zdm]| {
                let mut new = Vec::new();
                for zdm in fleet {
                    let users = Users::new(zdm).unwrap();
                    let mut conn = pool.acquire().await.unwrap();
                    let rows = users.list(&mut conn, None, 99).await.unwrap();
                    let one = users.get(&mut conn, 1).await.unwrap().unwrap();
                    assert_eq!(rows.len(), 20);
                    assert!(rows.iter().all(|row| row.full_name == one.full_name));
                    match one.full_name.as_str() {
                        "new" => new.push(zdm.name().to_owned()),
                        side => assert_eq!(side, "old"),
                    }
                }
                new
            };

            assert_eq!(readers(&fleet).await, Vec::<String>::new());
            let mut before = Vec::new();
            for points in [1_000, 5_000, 9_000] {
                share_out(&mut operator, points).await;
                let new = readers(&fleet).await;
                assert_eq!(new, expected(points), "{points}");
                assert!(before.iter().all(|name| new.contains(name)), "{points}");
                before = new;
            }
            share_out(&mut operator, 5_000).await;
            let half = readers(&fleet).await;
            assert!((1..8).contains(&half.len()), "{half:?}");

            for zdm in std::mem::take(&mut fleet) {
                zdm.close().await.unwrap();
            }
            for name in NAMES {
                let zdm = Zdm::connect_as(pool.clone(), &CODE, name).await.unwrap();
                fleet.push(zdm);
            }
            assert_eq!(readers(&fleet).await, half);

            // A runtime from before reads the share of keys alone.
            let keys = operator
                .query("SELECT read_basis_points FROM {zdm}stage", &[])
                .await
                .unwrap();
            assert_eq!(keys, [[0_i64.into()]]);

            enter(&mut operator, Stage::DualWrite, 0).await;
            assert_eq!(readers(&fleet).await, Vec::<String>::new());
        }
    };
}

reads_by_instance!(
    sqlite_reads_new_in_a_share_of_the_instances,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
reads_by_instance!(
    postgres_reads_new_in_a_share_of_the_instances,
    postgres,
    sqlx::PgPool,
    postgres()
);
