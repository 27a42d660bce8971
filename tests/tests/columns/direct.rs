//! Old code, generated and compiled, while its table is written anew at once: what it survives, and what it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cargo_zdm::dialect::Dialect;
use cargo_zdm::plan::{ColumnShape, Statement};
use sqlx::{Executor as _, PgPool};
use tokio::task::JoinHandle;
use zdm_runtime::Zdm;
use zdm_tests::postgres::Server;

use crate::on_postgres::open;
use crate::postgres::models::{Count, Mood};
use crate::postgres::zdm::counts::Counts;

/// Instances with a connection each, whose statements are prepared and which go on until they are told to stop.
struct Instances {
    over: Arc<AtomicBool>,
    rounds: [Arc<AtomicUsize>; 2],
    running: Vec<JoinHandle<Result<(), String>>>,
}

impl Instances {
    fn start(pool: &PgPool, zdm: &Zdm) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let rounds = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let running = rounds.iter().zip(1..).map(|(rounds, day)| {
            let (pool, zdm) = (pool.clone(), zdm.clone());
            let (over, rounds) = (over.clone(), rounds.clone());
            tokio::spawn(async move { works(&pool, &zdm, day, &over, &rounds).await })
        });
        let running = running.collect();
        Self {
            over,
            rounds,
            running,
        }
    }

    /// Until each has gone through all its statements once more, or has been stopped by one of them.
    async fn go_on(&self) {
        let before = self
            .rounds
            .each_ref()
            .map(|rounds| rounds.load(Ordering::Acquire));
        for ((running, rounds), before) in self.running.iter().zip(&self.rounds).zip(before) {
            while !running.is_finished() && rounds.load(Ordering::Acquire) <= before + 1 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// What stopped them, if they did not go on until now.
    async fn end(self) -> Vec<String> {
        self.over.store(true, Ordering::Release);
        let mut errors = Vec::new();
        for running in self.running {
            errors.extend(running.await.unwrap().err());
        }
        errors
    }
}

async fn works(
    pool: &PgPool,
    zdm: &Zdm,
    day: i64,
    over: &AtomicBool,
    rounds: &AtomicUsize,
) -> Result<(), String> {
    let mut conn = pool.acquire().await.unwrap();
    let conn = &mut *conn;
    let counts = Counts::new(zdm).unwrap();
    let mut count = 0;
    while !over.load(Ordering::Acquire) {
        count += 1;
        let told = |error: zdm_runtime::Error| format!("{error:?}");
        let row = |count| Count {
            day,
            mood: Mood::Happy,
            count,
        };
        counts.upsert(conn, &row(count)).await.map_err(told)?;
        let found = counts.get(conn, day, &Mood::Happy).await.map_err(told)?;
        assert_eq!(found, Some(row(count)));
        assert!(
            counts
                .set_count(conn, day, &Mood::Happy, -count)
                .await
                .map_err(told)?
        );
        assert!(counts.update(conn, &row(count)).await.map_err(told)?);
        let listed = counts.list(conn, None, 9).await.map_err(told)?;
        assert!(listed.contains(&row(count)), "{listed:?}");
        assert!(counts.delete(conn, day, &Mood::Happy).await.map_err(told)?);
        counts.insert(conn, &row(count)).await.map_err(told)?;
        rounds.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}

fn column(name: &str, sql_type: &str) -> ColumnShape {
    ColumnShape {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        nullable: false,
        auto: false,
        counted: None,
        default: None,
        generated: None,
        is_virtual: false,
        comment: None,
        rights_of: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_statements_go_on_while_columns_come_that_they_do_not_name() {
    let server = Server::start();
    let (pool, zdm) = open(&server).await;
    let dialect = Dialect::named("postgres").unwrap();
    let table = || "counts".to_owned();
    let add = |column| Statement::AddColumn {
        table: table(),
        column,
        rewrites: true,
    };
    let computed = |expression: &str| ColumnShape {
        generated: Some(expression.to_owned()),
        ..column("double", "bigint")
    };
    let volatile = ColumnShape {
        default: Some("gen_random_uuid()".to_owned()),
        ..column("token", "uuid")
    };
    let counted = ColumnShape {
        auto: true,
        ..column("number", "bigint")
    };
    let steps = [
        add(computed("count * 2")),
        Statement::ReplaceGenerated {
            table: table(),
            column: computed("count * 2 + 1"),
        },
        add(volatile),
        add(counted),
    ];
    let instances = Instances::start(&pool, &zdm);
    instances.go_on().await;
    for step in &steps {
        let sql = dialect.render_statement(step.name(), step).unwrap();
        pool.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        instances.go_on().await;
    }
    assert_eq!(instances.end().await, [] as [String; 0]);
    let wrong = "SELECT count(*) FROM counts WHERE double <> count * 2 + 1 OR token IS NULL OR number IS NULL";
    let wrong: i64 = sqlx::query_scalar(wrong).fetch_one(&pool).await.unwrap();
    assert_eq!(wrong, 0);
}

/// Why no type changes in place, not of a small table either: lists name the column as it is, and its type with it.
#[tokio::test(flavor = "multi_thread")]
async fn another_type_fails_reads_of_old_code_prepared_before_or_after() {
    let server = Server::start();
    let (pool, zdm) = open(&server).await;
    let instances = Instances::start(&pool, &zdm);
    instances.go_on().await;
    let wider = "ALTER TABLE counts ALTER COLUMN count TYPE bigint";
    pool.execute(wider).await.unwrap();
    instances.go_on().await;
    let errors = instances.end().await;
    assert_eq!(errors.len(), 2);
    let failed = "cached plan must not change result type";
    assert!(
        errors.iter().all(|error| error.contains(failed)),
        "{errors:#?}"
    );

    let fresh = PgPool::connect(&server.url_of("columns", "owner"))
        .await
        .unwrap();
    let mut conn = fresh.acquire().await.unwrap();
    let counts = Counts::new(&zdm).unwrap();
    // Writes have their parameters' types from code.
    assert!(
        counts
            .set_count(&mut conn, 1, &Mood::Happy, 7)
            .await
            .is_ok()
    );
    let error = counts.list(&mut conn, None, 9).await.unwrap_err();
    let error = format!("{error:?}");
    assert!(
        error.contains("ColumnDecode") && error.contains("INT8"),
        "{error}"
    );
}
