//! Rows that count their writes: a write of what was read before another write is refused, at every stage and under load. The oracle
//! of the load: each writer adds one to what it has read, without a lock, so that a write that was overtaken unseen leaves a sum that
//! is too small.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use zdm_runtime::backfill::Way;
use zdm_runtime::database::Connection;
use zdm_runtime::hop::Target;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::Side;
use zdm_runtime::{Code, CodeState, Error, MigrationCode, Stage, TableCode, Zdm};
use zdm_tests::cases::Case;
use zdm_tests::operator::Operator;
use zdm_tests::pool::Patient as _;

use crate::live::{MIGRATION, enter, postgres, prepare, sides, sqlite};

const ROWS: usize = 3;
const WRITERS: usize = 4;
const ROWS_BEFORE: &str =
    "INSERT INTO pages (name, visits, version) VALUES ('0', 0, 0), ('0', 0, 0), ('0', 0, 0)";

static CODE: Code = Code {
    tables: &[TableCode {
        table: "pages",
        migrations: &[MigrationCode {
            id: MIGRATION,
            name: "case",
            state: CodeState::Transition,
        }],
    }],
};

/// What was committed to one row.
#[derive(Default)]
struct Written {
    visits: AtomicI64,
    titles: AtomicI64,
}

/// The version that the generated code of `pages` was made for.
fn case() -> Case {
    Case {
        name: "versioned".to_owned(),
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated/versioned"),
    }
}

async fn journey(operator: &mut Operator) {
    operator.written().await;
    operator.write_both().await;
    operator.back(Stage::Off).await;
    operator.write_both().await;
    operator.section(Section::SwitchReads, Direction::Up).await;
    operator.section(Section::Release, Direction::Up).await;
    operator.complete().await;
    operator.back(Stage::RampDown).await;
    operator.fill(Way::Reverse).await;
    operator.verify(Side::Old).await;
    operator.back(Stage::DualWrite).await;
    operator.advance(Target::stage(Stage::Shadow)).await;
    operator.load.stop.store(true, Ordering::SeqCst);
}

/// Whether a write was refused for another's sake, by the generated code or by the database.
fn is_overtaken(error: &Error) -> bool {
    let database = error.sqlx().and_then(sqlx::Error::as_database_error);
    let code = database.and_then(sqlx::error::DatabaseError::code);
    matches!(error, Error::Overtaken { table: "pages" })
        || matches!(code.as_deref(), Some("40001" | "40P01" | "5"))
}

/// One test per database: the same steps with each one's types.
macro_rules! tells_who_was_overtaken {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::$module::models::Page;
            use crate::$module::zdm::CODE;
            use crate::$module::zdm::pages::{PageChanges, Pages};

            let (_guard, url) = $url;
            let mut operator = Connection::open(&url).await.unwrap();
            prepare(&mut operator).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let pages = Pages::new(&zdm).unwrap();
            let page = |id, title: &str, version| Page {
                id,
                title: title.to_owned(),
                visits: 1,
                version,
            };
            let changes = PageChanges {
                title: Some("changed"),
                ..PageChanges::default()
            };

            for stage in Stage::ALL {
                enter(&mut operator, stage, 10_000).await;
                let id = pages.insert(conn, &page(0, "new", 1)).await.unwrap();
                assert!(pages.update(conn, &page(id, "first", 1)).await.unwrap());
                let now = pages.get(conn, id).await.unwrap();
                assert_eq!(now, Some(page(id, "first", 2)), "{stage}");

                let before = sides(&mut operator, "pages", "name", "title", id).await;
                let late = pages.update(conn, &page(id, "late", 1)).await;
                assert!(is_overtaken(&late.unwrap_err()), "{stage}");
                let after = sides(&mut operator, "pages", "name", "title", id).await;
                assert_eq!(after, before, "{stage}");

                // Its statement is one for an epoch that is over, and is sent once more.
                enter(&mut operator, stage, 10_000).await;
                assert!(pages.update(conn, &page(id, "second", 2)).await.unwrap());
                enter(&mut operator, stage, 10_000).await;
                let late = pages.update(conn, &page(id, "late", 2)).await;
                assert!(is_overtaken(&late.unwrap_err()), "{stage}");

                assert!(pages.set_title(conn, id, "third").await.unwrap());
                assert!(pages.set_visits(conn, id, 1).await.unwrap());
                assert!(pages.change(conn, id, &changes).await.unwrap());
                let nothing = PageChanges::default();
                assert!(!pages.change(conn, id, &nothing).await.unwrap());
                let all = pages.change_where(conn, &changes, |_, _| "visits = 1".to_owned());
                assert!(all.await.unwrap() > 0);
                let now = pages.get(conn, id).await.unwrap();
                assert_eq!(now, Some(page(id, "changed", 7)), "{stage}");

                pages.upsert(conn, &page(id, "stored", 1)).await.unwrap();
                let now = pages.get(conn, id).await.unwrap();
                assert_eq!(now, Some(page(id, "stored", 8)), "{stage}");
                assert!(pages.delete(conn, id).await.unwrap());
                assert!(!pages.update(conn, &page(id, "gone", 8)).await.unwrap());
            }
            zdm.close().await.unwrap();
        }
    };
}

tells_who_was_overtaken!(
    sqlite_tells_who_was_overtaken,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
tells_who_was_overtaken!(
    postgres_tells_who_was_overtaken,
    postgres,
    sqlx::PgPool,
    postgres()
);

/// One test per database and isolation level: the same journey with each one's types.
macro_rules! no_write_is_lost {
    ($test:ident, $module:ident, $pool:ty, $begin:literal, $lock:literal, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::$module::zdm::pages::{PageChanges, Pages};

            /// What was read is written one higher. Every turn it is another write.
            async fn write(
                pages: &Pages,
                pool: &$pool,
                turn: usize,
                written: &Written,
                id: i64,
            ) -> Result<(), Error> {
                let mut page = pages.get(&mut *pool.acquire().await?, id).await?.unwrap();
                let mut transaction = pool.begin_with($begin).await?;
                let conn = &mut *transaction;
                let next = |title: &str| (title.parse::<i64>().unwrap() + 1).to_string();
                let (counter, added) = match turn % 4 {
                    0 | 1 => {
                        page.visits += 1;
                        let there = pages.update(conn, &page).await?;
                        (&written.visits, i64::from(there))
                    }
                    2 => {
                        let title = next(&page.title);
                        let changes = PageChanges {
                            title: Some(&title),
                            ..PageChanges::default()
                        };
                        let as_read = pages.change_where(conn, &changes, |_, parameters| {
                            let (id, version) =
                                (parameters.bind(id), parameters.bind(page.version));
                            format!("id = {id} AND version = {version}")
                        });
                        (&written.titles, i64::try_from(as_read.await?).unwrap())
                    }
                    _ => {
                        sqlx::query($lock).bind(id).execute(&mut *conn).await?;
                        let locked = pages.get(conn, id).await?.unwrap();
                        let set = pages.set_title(conn, id, &next(&locked.title)).await?;
                        (&written.titles, i64::from(set))
                    }
                };
                transaction.commit().await?;
                counter.fetch_add(added, Ordering::SeqCst);
                Ok(())
            }

            let (_guard, url) = $url;
            let mut operator = Operator::of(&case(), &url, ROWS_BEFORE).await;
            let written: Arc<[Written; ROWS]> = Arc::default();
            let pool = <$pool>::patient(&url).await;
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let mut writers = tokio::task::JoinSet::new();
            for writer in 0..WRITERS {
                let pages = Pages::new(&zdm).unwrap();
                let (pool, load, written) = (pool.clone(), operator.load.clone(), written.clone());
                writers.spawn(async move {
                    for turn in 0.. {
                        if load.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let row = (turn + writer) / 4 % ROWS;
                        let id = i64::try_from(row).unwrap() + 1;
                        match write(&pages, &pool, turn + writer, &written[row], id).await {
                            Ok(()) => drop(load.writes.fetch_add(1, Ordering::SeqCst)),
                            Err(error) => assert!(is_overtaken(&error), "{error:?}"),
                        }
                    }
                });
            }
            tokio::select! {
                () = journey(&mut operator) => {}
                Some(ended) = writers.join_next() => panic!("a writer ended early: {ended:?}"),
            }
            while let Some(ended) = writers.join_next().await {
                ended.unwrap();
            }
            let pages = Pages::new(&zdm).unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let stored = pages.list(&mut conn, None, 99).await.unwrap();
            let counts = |written: &Written| {
                let visits = written.visits.load(Ordering::SeqCst);
                let titles = written.titles.load(Ordering::SeqCst);
                (titles.to_string(), visits, visits + titles)
            };
            let stored: Vec<_> = stored
                .into_iter()
                .map(|page| (page.title, page.visits, i64::from(page.version)))
                .collect();
            assert_eq!(stored, written.iter().map(counts).collect::<Vec<_>>());
            drop(conn);
            zdm.close().await.unwrap();
        }
    };
}

no_write_is_lost!(
    sqlite_loses_no_write_that_was_overtaken,
    sqlite,
    sqlx::SqlitePool,
    "BEGIN IMMEDIATE",
    "SELECT 1 FROM pages WHERE id = $1",
    sqlite()
);
no_write_is_lost!(
    read_committed_loses_no_write_that_was_overtaken,
    postgres,
    sqlx::PgPool,
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "SELECT 1 FROM pages WHERE id = $1 FOR UPDATE",
    postgres()
);
no_write_is_lost!(
    repeatable_read_loses_no_write_that_was_overtaken,
    postgres,
    sqlx::PgPool,
    "BEGIN ISOLATION LEVEL REPEATABLE READ",
    "SELECT 1 FROM pages WHERE id = $1 FOR UPDATE",
    postgres()
);
