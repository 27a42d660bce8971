//! No statement of a version keeps writers waiting without a bound: what `dialect.toml` declares of every statement, and the server's own
//! log of cases that have each of them, forward and back, every step refused once by a writer that is at work.

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use cargo_zdm::dialect::Dialect;
use cargo_zdm::plan::{Plan, Statement, Undo};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use zdm_runtime::database::{Connection, Value, control};
use zdm_runtime::executor::{self, Event, ExecutorOptions};
use zdm_runtime::manifest::{Direction, Step};
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::{Case, schemas_of};
use zdm_tests::fill;
use zdm_tests::postgres::Server;
use zdm_tests::seed::seed;

/// What conflicts with the lock that every INSERT, UPDATE and DELETE takes (manual, "Explicit Locking", Conflicting Lock Modes).
const AGAINST_WRITERS: [&str; 4] = [
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

/// They wait for transactions that are open and keep nobody waiting meanwhile: under a short `lock_timeout` they would fail each time
/// and leave an invalid index behind, so they have a deadline of their own.
const OUTSIDE: [&str; 2] = ["create_index", "drop_index"];

/// The user's own SQL stands in no case, and whatever of it is not recognised runs as what blocks writers.
fn blocking(dialect: &Dialect) -> BTreeSet<&'static str> {
    let blocks = |name: &&str| {
        dialect
            .statement(name)
            .is_ok_and(|facts| facts.blocks_writers)
    };
    Statement::NAMES.into_iter().filter(blocks).collect()
}

#[test]
fn what_blocks_writers_runs_in_a_transaction_with_a_limit() {
    let dialect = Dialect::named("postgres").unwrap();
    let mut outside = BTreeSet::new();
    for name in Statement::NAMES {
        let Ok(facts) = dialect.statement(name) else {
            continue;
        };
        let mode = facts.lock.trim_end_matches(" on the referenced tables");
        let is_against = AGAINST_WRITERS.contains(&mode);
        assert_eq!(facts.blocks_writers, is_against, "{name}: {}", facts.lock);
        if !facts.transactional {
            assert!(!is_against, "{name}: {}", facts.lock);
            outside.insert(name);
        }
    }
    assert_eq!(outside, BTreeSet::from(OUTSIDE));
    assert!(blocking(&dialect).len() > 30);
}

const WRITES: &str = "IN ROW EXCLUSIVE MODE";

/// A writer with a lock on every table.
struct Writer {
    connection: Connection,
    holds: bool,
}

impl Writer {
    async fn begin(&mut self) {
        let tables = "SELECT string_agg(CAST(c.oid::regclass AS text), ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema', 'zdm')";
        let tables = self.connection.query_file(tables, &[]).await.unwrap();
        let [Value::Text(Some(tables))] = tables[0].as_slice() else {
            return;
        };
        self.connection.begin().await.unwrap();
        let lock = format!("LOCK TABLE {tables} {WRITES}");
        self.connection.run_file(&lock).await.unwrap();
        self.holds = true;
    }

    async fn end(&mut self) {
        if std::mem::take(&mut self.holds) {
            self.connection.rollback().await.unwrap();
        }
    }

    /// Nobody stands in line for a table any more.
    async fn is_alone(&mut self) -> bool {
        let waits = "SELECT 1::bigint FROM pg_locks WHERE NOT granted AND relation IS NOT NULL";
        let waits = self.connection.query_file(waits, &[]).await.unwrap();
        waits.is_empty()
    }
}

/// What happened to the steps.
#[derive(Default)]
struct Seen {
    /// Blocking steps that the writer has refused once: their SQL.
    refused: BTreeSet<String>,
    refusals: usize,
    /// Of these the ones whose table is locked and counted before, so that their own SQL was not sent.
    unsent: usize,
    /// Blocking steps that met no lock of the writer's.
    unhindered: BTreeSet<String>,
    /// Steps beside which the writer went on.
    beside: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_step_that_blocks_writers_gives_up_and_lets_them_pass() {
    let (server, log) = Server::start_logged();
    let dialect = Dialect::named("postgres").unwrap();
    let mut seen = Seen::default();
    let mut left = blocking(&dialect);
    for (number, case) in Case::all().into_iter().enumerate() {
        if case.is_refused(&dialect) {
            continue;
        }
        let statements = statements(&case.plan(&dialect).unwrap());
        if left.is_disjoint(&statements) {
            continue;
        }
        left.retain(|name| !statements.contains(name));
        let url = server.database(&format!("case_{number}"));
        let mut connection = Connection::open(&url).await.unwrap();
        let mut writer = Writer {
            connection: Connection::open(&url).await.unwrap(),
            holds: false,
        };
        prepare(&mut connection, &case, &dialect).await;
        let migration = case.migration(&dialect);
        for section in Section::ALL {
            if section == Section::SwitchReads {
                fill(&mut connection, &migration).await;
            }
            let there_and_back = [Direction::Up, Direction::Down, Direction::Up];
            let ends = matches!(section, Section::Drop | Section::DropKept);
            let ways = if ends { 1 } else { 3 };
            for direction in there_and_back.into_iter().take(ways) {
                let place = (&case, section, direction);
                run(&mut connection, &migration, place, &mut writer, &mut seen).await;
            }
        }
    }
    assert!(left.is_empty(), "in no case: {left:?}");
    assert!(seen.unhindered.is_empty(), "{:#?}", seen.unhindered);
    assert!(seen.beside > 10, "{}", seen.beside);
    let mut marker = Connection::open(&server.url()).await.unwrap();
    marker.run_file(END).await.unwrap();
    each_is_limited(&log, &seen);
}

/// What a version executes, forward and back.
fn statements(plan: &Plan) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for step in &plan.steps {
        names.insert(step.action.statement.name());
        if let Undo::By { actions, .. } = &step.undo {
            names.extend(actions.iter().map(|action| action.statement.name()));
        }
    }
    names
}

async fn prepare(connection: &mut Connection, case: &Case, dialect: &Dialect) {
    control::install(connection).await.unwrap();
    let schemas = schemas_of(&case.schema("v1.rs")) + &schemas_of(&case.schema("v2.rs"));
    connection.run_file(&schemas).await.unwrap();
    let foundation = case.foundation(dialect);
    let options = ExecutorOptions::of("test");
    let (section, direction) = (Section::Expand, Direction::Up);
    executor::run(
        connection,
        &foundation,
        section,
        direction,
        &options,
        &mut |_| {},
    )
    .await
    .unwrap();
    seed(connection, &case.schema("v1.rs"), dialect).await;
}

async fn fill(connection: &mut Connection, migration: &Migration) {
    for backfill in &migration.manifest().backfills {
        let bounds = migration.file(&backfill.bounds);
        let range = connection.query_file(bounds, &[]).await.unwrap().remove(0);
        fill::batch(connection, migration, backfill, &range).await;
    }
}

/// Each step meets the writer, who ends when the step has given up once.
async fn run(
    connection: &mut Connection,
    migration: &Migration,
    (case, section, direction): (&Case, Section, Direction),
    writer: &mut Writer,
    seen: &mut Seen,
) {
    // What rewrites a small table at once has no more time than the lock.
    let rewrites = migration
        .manifest()
        .steps
        .iter()
        .any(|step| !step.small.is_empty());
    let options = ExecutorOptions {
        lock_timeout: Duration::from_millis(if rewrites { 2_000 } else { 20 }),
        patience: Duration::ZERO,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
        deadline: Duration::from_mins(2),
        drop_rows: true,
        ..ExecutorOptions::of("test")
    };
    let called = |step: &Step| format!("{} {direction:?}: {}", case.name, step.summary);
    let mut was_refused = false;
    let mut on_event = |event: Event<'_>| {
        block_in_place(|| {
            Handle::current().block_on(async {
                match event {
                    Event::Started { step } if step.transactional => {
                        was_refused = false;
                        writer.begin().await;
                    }
                    Event::Retrying { step, .. } if writer.holds => {
                        assert!(step.blocks_writers, "{}", called(step));
                        assert!(writer.is_alone().await, "{}", called(step));
                        was_refused = true;
                        seen.refused.insert(migration.sql(step).trim().to_owned());
                        seen.refusals += 1;
                        seen.unsent += usize::from(!step.small.is_empty());
                        writer.end().await;
                    }
                    Event::Done { step, .. } => {
                        if step.blocks_writers && !was_refused {
                            seen.unhindered.insert(called(step));
                        }
                        seen.beside += u32::from(writer.holds && !step.blocks_writers);
                        writer.end().await;
                    }
                    _ => {}
                }
            });
        });
    };
    let (migration, on_event) = (migration, &mut on_event);
    executor::run(
        connection, migration, section, direction, &options, on_event,
    )
    .await
    .unwrap_or_else(|error| panic!("{} {}: {error}", case.name, section.name()));
}

const END: &str = "SELECT 'this is the end of the log'";

/// In the server's log stands, of each of these statements and each time that it was sent, a limit before it in the same transaction.
fn each_is_limited(log: &Receiver<String>, seen: &Seen) {
    let mut limited: BTreeSet<String> = BTreeSet::new();
    let mut sent = 0;
    for (transaction, statement) in records(log) {
        if statement.contains("set_config('lock_timeout', CAST(least(") {
            limited.insert(transaction);
        } else if seen.refused.contains(&statement) {
            assert!(limited.contains(&transaction), "{statement}");
            sent += 1;
        } else if statement.contains("LOCK TABLE ") && !statement.ends_with(WRITES) {
            let is_limited = limited.contains(&transaction)
                || statement.starts_with("SET LOCAL lock_timeout = ");
            assert!(is_limited, "{statement}");
        }
    }
    // Refused, and once more.
    let expected = 2 * seen.refusals - seen.unsent;
    assert!(sent >= expected, "{sent} of {expected}");
}

/// Every statement with the number of its transaction, `3/17`.
fn records(log: &Receiver<String>) -> Vec<(String, String)> {
    let mut records: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for line in log {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some((_, statement)) = records.last_mut().filter(|_| goes_on) {
                statement.push('\n');
                statement.push_str(more);
            }
            continue;
        }
        let found = line.split_once(' ').and_then(|(transaction, message)| {
            let statement = message.strip_prefix("LOG:  statement: ")?;
            Some((transaction.to_owned(), statement.to_owned()))
        });
        goes_on = found.is_some();
        if found
            .as_ref()
            .is_some_and(|(_, statement)| statement == END)
        {
            break;
        }
        records.extend(found);
    }
    for (_, statement) in &mut records {
        *statement = statement.trim().to_owned();
    }
    records
}
