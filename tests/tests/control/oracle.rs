//! Writers that never stop while a migration goes forth and back, and a question that must always have the same answer.
//!
//! A write counts the row's version up and writes the version's name to the sides that its stage maintains. So at every moment a
//! side that is maintained and filled must carry the present version's name in every row: one query tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use zdm_runtime::database::{Connection, DatabaseError, Dialect};
use zdm_runtime::hop::{HopError, Target};
use zdm_runtime::{Flags, Stage, TableFlags, Writes, Zdm};

use crate::fixture::{Database, Operator, TRANSITION};

const ROWS: i64 = 7;
const WRITERS: i64 = 3;

const OLD_IS_BEHIND: &str = "SELECT count(*) FROM users WHERE name IS DISTINCT FROM 'v' || version";
const NEW_IS_BEHIND: &str =
    "SELECT count(*) FROM users WHERE full_name IS DISTINCT FROM 'v' || version";
const FILL_NEW: &str = "UPDATE users SET full_name = name WHERE full_name IS DISTINCT FROM name";
const FILL_OLD: &str = "UPDATE users SET name = full_name WHERE name IS DISTINCT FROM full_name";

async fn with_rows(database: Database) -> Database {
    let database = database.expanded().await;
    let mut connection = database.connection().await;
    connection
        .run_file("ALTER TABLE users ADD COLUMN version bigint NOT NULL DEFAULT 0")
        .await
        .unwrap();
    for id in 0..ROWS {
        connection
            .execute(
                "INSERT INTO users (id, name) VALUES ($1, 'v0')",
                &[id.into()],
            )
            .await
            .unwrap();
    }
    database
}

/// The statement that a repository would choose, under these flags.
async fn write(connection: &mut Connection, flags: Flags, id: i64) -> Result<u64, DatabaseError> {
    let sides = match flags.writes() {
        Writes::Old => "name = 'v' || (version + 1)",
        Writes::Both => "name = 'v' || (version + 1), full_name = 'v' || (version + 1)",
        Writes::New => "full_name = 'v' || (version + 1)",
    };
    let sql = format!(
        "UPDATE users SET version = version + 1, {sides} \
         WHERE id = $1 AND (SELECT epoch FROM {{zdm}}fence WHERE table_name = 'users') = $2"
    );
    connection
        .execute(&sql, &[id.into(), flags.epoch().into()])
        .await
}

/// A repository's loop inside a transaction of its own, with a pause before the commit.
async fn save(connection: &mut Connection, table: &TableFlags, id: i64) {
    connection.begin().await.unwrap();
    let mut flags = table.current();
    while write(connection, flags, id).await.unwrap() == 0 {
        let now = table.refresh(connection).await.unwrap();
        assert_ne!(now.epoch(), flags.epoch(), "the row {id} is gone");
        flags = now;
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    connection.commit().await.unwrap();
}

/// Writers at work, until they are stopped.
struct Crowd {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Crowd {
    async fn start(database: &Database, zdm: &Zdm) -> Self {
        let (stop, written) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let mut tasks = Vec::new();
        for writer in 0..WRITERS {
            let mut connection = database.connection().await;
            let table = TableFlags::of(zdm, "users").unwrap();
            let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
            tasks.push(tokio::spawn(async move {
                let mut turn = writer;
                while !stop.load(Ordering::Relaxed) {
                    save(&mut connection, &table, turn % ROWS).await;
                    written.fetch_add(1, Ordering::Relaxed);
                    turn += 1;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }));
        }
        Self {
            stop,
            written,
            tasks,
        }
    }

    /// Every row gets written a few times more.
    async fn go_on(&self) {
        let enough = self.written.load(Ordering::Relaxed) + 40;
        while self.written.load(Ordering::Relaxed) < enough {
            assert!(
                self.tasks.iter().all(|task| !task.is_finished()),
                "a writer gave up"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// Several times while the writers go on, these questions are all answered by 0.
async fn always(operator: &mut Operator, crowd: &Crowd, questions: &[&str]) {
    for _ in 0..3 {
        crowd.go_on().await;
        for question in questions {
            assert_eq!(operator.number(question).await, 0, "{question}");
        }
    }
}

/// On `SQLite` the batch needs the write lock as every other writer does.
async fn fill(operator: &mut Operator, sql: &str) {
    operator.connection.begin().await.unwrap();
    operator.connection.execute(sql, &[]).await.unwrap();
    operator.connection.commit().await.unwrap();
}

async fn forth_and_back(database: Database) {
    let database = with_rows(database).await;
    let zdm = database.zdm(&TRANSITION).await;
    let crowd = Crowd::start(&database, &zdm).await;
    let mut operator = Operator::of(&database).await;
    let both: &[&str] = &[OLD_IS_BEHIND, NEW_IS_BEHIND];

    always(&mut operator, &crowd, &[OLD_IS_BEHIND]).await;
    operator
        .advance(Target::stage(Stage::DualWrite))
        .await
        .unwrap();
    fill(&mut operator, FILL_NEW).await;
    always(&mut operator, &crowd, both).await;
    operator.backfill("up").await;
    operator.verify("new").await;
    for target in [
        Target::stage(Stage::Shadow),
        Target::live(100).unwrap(),
        Target::live(10_000).unwrap(),
        Target::stage(Stage::RampDown),
    ] {
        zdm.beat().await.unwrap();
        operator.advance(target).await.unwrap();
        always(&mut operator, &crowd, both).await;
    }
    zdm.beat().await.unwrap();
    operator
        .advance(Target::stage(Stage::Complete))
        .await
        .unwrap();
    always(&mut operator, &crowd, &[NEW_IS_BEHIND]).await;
    assert_ne!(
        operator.number(OLD_IS_BEHIND).await,
        0,
        "old is left behind, so the question can fail"
    );

    operator.back(Target::stage(Stage::RampDown)).await.unwrap();
    fill(&mut operator, FILL_OLD).await;
    always(&mut operator, &crowd, both).await;
    operator.backfill("reverse").await;
    operator.verify("old").await;
    operator
        .back(Target::stage(Stage::DualWrite))
        .await
        .unwrap();
    always(&mut operator, &crowd, both).await;
    zdm.beat().await.unwrap();
    operator.back(Target::stage(Stage::Off)).await.unwrap();
    always(&mut operator, &crowd, &[OLD_IS_BEHIND]).await;
    zdm.beat().await.unwrap();
    operator
        .advance(Target::stage(Stage::DualWrite))
        .await
        .unwrap();
    fill(&mut operator, FILL_NEW).await;
    always(&mut operator, &crowd, both).await;
    crowd.stop().await;
}

#[tokio::test]
async fn no_write_is_lost_on_postgres() {
    forth_and_back(Database::postgres()).await;
}

#[tokio::test]
async fn no_write_is_lost_on_sqlite() {
    forth_and_back(Database::sqlite()).await;
}

/// A process that stopped between reading its flags and sending its statement, and woke after the hop.
#[tokio::test]
async fn a_writer_that_slept_with_an_old_flag_writes_nothing() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = with_rows(database).await;
        let zdm = database.zdm(&TRANSITION).await;
        let table = TableFlags::of(&zdm, "users").unwrap();
        let before = table.current();
        let mut operator = Operator::of(&database).await;
        operator
            .advance(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        fill(&mut operator, FILL_NEW).await;

        let mut sleeper = database.connection().await;
        assert_eq!(write(&mut sleeper, before, 1).await.unwrap(), 0);
        save(&mut sleeper, &table, 1).await;
        assert_eq!(operator.number(NEW_IS_BEHIND).await, 0);
        assert_eq!(
            operator
                .number("SELECT version FROM users WHERE id = 1")
                .await,
            1
        );
    }
}

/// A transaction that wrote old alone before the hop and commits after it: the hop ends after it did, not before.
#[tokio::test]
async fn a_hop_ends_after_the_transactions_from_before_it() {
    let database = with_rows(Database::postgres()).await;
    let zdm = database.zdm(&TRANSITION).await;
    let table = TableFlags::of(&zdm, "users").unwrap();
    let mut slow = database.connection().await;
    assert_eq!(slow.dialect(), Dialect::Postgres);
    slow.begin().await.unwrap();
    assert_eq!(write(&mut slow, table.current(), 1).await.unwrap(), 1);

    let mut operator = Operator::of(&database).await;
    let to = Target::stage(Stage::DualWrite);
    let error = operator.advance_with(to, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, HopError::NotDrained { .. }), "{error}");
    let hop = tokio::spawn(async move {
        operator.advance(to).await.unwrap();
        operator
    });
    let mut watcher = database.connection().await;
    for _ in 0..50 {
        let drained = watcher
            .query(
                "SELECT epoch FROM {zdm}stage WHERE drained_epoch = epoch",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(
            drained,
            Vec::<Vec<_>>::new(),
            "drained while the writer was open"
        );
    }
    // Inside its transaction the old flag still misses: a second write takes both sides.
    assert_eq!(write(&mut slow, table.current(), 2).await.unwrap(), 0);
    let now = table.refresh(&mut slow).await.unwrap();
    assert_eq!(now.stage(), Stage::DualWrite);
    assert_eq!(write(&mut slow, now, 2).await.unwrap(), 1);
    slow.commit().await.unwrap();
    let mut operator = hop.await.unwrap();
    fill(&mut operator, FILL_NEW).await;
    assert_eq!(operator.number(NEW_IS_BEHIND).await, 0);
}
