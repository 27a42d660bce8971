//! A split whose key has two columns, and whose columns bear each other's old names: every operation at every stage.

use zdm_runtime::backfill::{self, BackfillOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::{self, Side, VerificationOptions};
use zdm_runtime::{Stage, Zdm};

use crate::database::{of_case, postgres, run, sqlite};
use crate::golden::fixture;
use crate::stages::enter;

const BEFORE: &str = "INSERT INTO order_lines (order_id, line, product, \"order\", weight, sent) VALUES \
    (1, 'a', 'x', 'first', 0.1, TRUE), (1, 'b', 'y', NULL, NULL, NULL), (2, 'a', 'z', NULL, 2, NULL)";

/// One test per database: the same steps with each one's types.
macro_rules! at_every_stage {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::parcels::$module::models::{OrderLine, Parcel};
            use crate::parcels::$module::zdm::{CODE, order_lines, parcels};

            let (_guard, url) = $url;
            let (mut operator, migration) = of_case(&fixture("parcels"), &url, BEFORE).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let lines = order_lines::OrderLines::new(&zdm).unwrap();
            let parcels = parcels::Parcels::new(&zdm).unwrap();
            let parcel = |order_id, line: &str, order, weight| Parcel {
                order_id,
                line: line.to_owned(),
                r#type: None,
                order,
                weight,
            };
            let first = Parcel {
                r#type: Some("first".to_owned()),
                ..parcel(1, "a", 0.1, Some(true))
            };
            let second = parcel(2, "a", 2.0, None);
            for stage in Stage::ALL.into_iter().chain([Stage::RampDown, Stage::Live]) {
                if stage == Stage::DualWrite {
                    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
                    let options = BackfillOptions::of("test", "worker 1");
                    backfill::run(&mut operator, &migration, &options, &mut |_| {})
                        .await
                        .unwrap();
                }
                enter(&mut operator, stage).await;
                assert_eq!(
                    parcels.list(conn, None, 9).await.unwrap(),
                    [first.clone(), second.clone()],
                    "{stage}"
                );
                assert_eq!(
                    parcels.list(conn, Some((1, "a")), 1).await.unwrap(),
                    std::slice::from_ref(&second)
                );
                let keys = [
                    (1, "a".to_owned()),
                    (1, "b".to_owned()),
                    (2, "a".to_owned()),
                ];
                assert_eq!(
                    parcels.get_many(conn, &keys).await.unwrap(),
                    [first.clone(), second.clone()]
                );
                let mut new = parcel(3, "c", 0.3, Some(false));
                let line = OrderLine {
                    order_id: 3,
                    line: "c".to_owned(),
                    product: "w".to_owned(),
                };
                lines.insert(conn, &line).await.unwrap();
                parcels.insert(conn, &new).await.unwrap();
                // A neighbour of the same number, whatever is told apart by a last bit.
                new.order = f64::from_bits(0.3_f64.to_bits() + 1);
                assert!(parcels.set_order(conn, 3, "c", new.order).await.unwrap());
                assert!(parcels.set_weight(conn, 3, "c", None).await.unwrap());
                assert!(parcels.set_type(conn, 3, "c", Some("t")).await.unwrap());
                (new.weight, new.r#type) = (None, Some("t".to_owned()));
                assert_eq!(parcels.get(conn, 3, "c").await.unwrap(), Some(new.clone()));
                new.weight = Some(true);
                assert!(parcels.update(conn, &new).await.unwrap());
                parcels.upsert(conn, &new).await.unwrap();
                assert_eq!(parcels.get(conn, 3, "c").await.unwrap(), Some(new.clone()));
                if stage != Stage::Off {
                    for side in [Side::New, Side::Old] {
                        let options = VerificationOptions::of("test", side);
                        let verified =
                            verification::run(&mut operator, &migration, &options, &mut |_| {})
                                .await
                                .unwrap();
                        assert_eq!((verified.rows, verified.mismatches), (4, 0), "{stage}");
                    }
                }
                assert!(parcels.delete(conn, 3, "c").await.unwrap());
                assert_eq!(parcels.get(conn, 3, "c").await.unwrap(), None);
                assert!(lines.delete(conn, 3, "c").await.unwrap());
            }
            drop((lines, parcels));
            zdm.close().await.unwrap();
        }
    };
}

at_every_stage!(
    sqlite_serves_every_stage,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
at_every_stage!(
    postgres_serves_every_stage,
    postgres,
    sqlx::PgPool,
    postgres()
);

/// As text the two numbers are one where a session shows fewer digits; the triggers compare bytes.
#[tokio::test]
async fn no_setting_of_a_session_hides_a_change() {
    use zdm_runtime::database::Value;

    let (_server, url) = postgres();
    let (mut operator, migration) = of_case(&fixture("parcels"), &url, BEFORE).await;
    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
    operator
        .run_file("SET extra_float_digits = -10; UPDATE order_lines SET weight = 0.1")
        .await
        .unwrap();
    let neighbour = f64::from_bits(0.1_f64.to_bits() + 1);
    let changed = format!("UPDATE order_lines SET weight = {neighbour}");
    operator.run_file(&changed).await.unwrap();
    let changed = format!("SELECT count(*) FROM \"Parcels\" WHERE \"order\" = {neighbour}");
    assert_eq!(
        operator.query(&changed, &[]).await.unwrap(),
        [[Value::Int(Some(3))]]
    );
}

/// As replication applies rows and as a restore copies them, for one.
#[tokio::test]
async fn writers_with_another_search_path_are_served() {
    use zdm_runtime::database::Value;

    let (_server, url) = postgres();
    let (mut operator, migration) = of_case(&fixture("parcels"), &url, BEFORE).await;
    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
    operator
        .run_file(
            "SET search_path = ''; SET session_replication_role = replica;
             UPDATE public.order_lines SET weight = 7;
             UPDATE public.\"Parcels\" SET \"order\" = 8 WHERE line = 'b';
             DELETE FROM public.order_lines WHERE order_id = 2;
             DELETE FROM public.\"Parcels\" WHERE line = 'a'",
        )
        .await
        .unwrap();
    for (count, rows) in [
        (
            "SELECT count(*) FROM public.\"Parcels\" WHERE \"order\" = 8",
            1,
        ),
        ("SELECT count(*) FROM public.\"Parcels\"", 1),
        (
            "SELECT count(*) FROM public.order_lines WHERE weight = 8",
            1,
        ),
        (
            "SELECT count(*) FROM public.order_lines WHERE weight IS NULL",
            1,
        ),
    ] {
        let found = operator.query_file(count, &[]).await.unwrap();
        assert_eq!(found, [[Value::Int(Some(rows))]], "{count}");
    }
}
