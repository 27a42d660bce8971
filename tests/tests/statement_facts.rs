//! What `templates/postgres/dialect.toml` says of locks, scans and rewrites, against a live server: every step of every
//! case, forward and back. Locks are read from `pg_locks` before the transaction ends, rewrites from the table's
//! filenode, scans from the rows that the transaction read; a concurrent build or drop is given a session of its own, whose
//! reads the server has counted when it is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cargo_zdm::dialect::Dialect;
use zdm_runtime::database::catalogue::relation;
use zdm_runtime::database::{Connection, Value, control};
use zdm_runtime::manifest::{Direction, Step};
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::{Case, schemas_of};
use zdm_tests::fill;
use zdm_tests::postgres::Server;
use zdm_tests::seed::seed;

/// Between two looks at a session.
const LOOK: Duration = Duration::from_millis(1);

/// PostgreSQL's lock modes, weakest first.
const MODES: [(&str, &str); 8] = [
    ("AccessShareLock", "ACCESS SHARE"),
    ("RowShareLock", "ROW SHARE"),
    ("RowExclusiveLock", "ROW EXCLUSIVE"),
    ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
    ("ShareLock", "SHARE"),
    ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
    ("ExclusiveLock", "EXCLUSIVE"),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE"),
];

#[tokio::test]
async fn every_step_locks_scans_and_rewrites_what_it_declares() {
    let server = Server::start();
    let dialect = Dialect::named("postgres").unwrap();
    let mut measured = 0;
    let mut unsaid = Vec::new();
    for (number, case) in Case::all().into_iter().enumerate() {
        if case.is_refused(&dialect) {
            continue;
        }
        let url = server.database(&format!("facts_{number}"));
        let mut connection = Connection::open(&url).await.unwrap();
        control::install(&mut connection).await.unwrap();
        let schemas = schemas_of(&case.schema("v1.rs")) + &schemas_of(&case.schema("v2.rs"));
        connection.run_file(&schemas).await.unwrap();
        let foundation = case.foundation(&dialect);
        for step in foundation
            .manifest()
            .steps_of(Section::Expand, Direction::Up)
        {
            connection.run_file(foundation.sql(step)).await.unwrap();
        }
        seed(&mut connection, &case.schema("v1.rs"), &dialect).await;
        let migration = case.migration(&dialect);
        for section in Section::ALL {
            if section == Section::SwitchReads {
                fill(&mut connection, &migration).await;
            }
            let returns = !matches!(section, Section::Drop | Section::DropKept);
            let steps = |direction| migration.manifest().steps_of(section, direction);
            for step in steps(Direction::Up) {
                unsaid
                    .extend(measure(&url, &mut connection, &case, migration.sql(step), step).await);
                measured += 1;
            }
            if returns {
                for step in steps(Direction::Down) {
                    unsaid.extend(
                        measure(&url, &mut connection, &case, migration.sql(step), step).await,
                    );
                    measured += 1;
                }
                for step in steps(Direction::Up) {
                    connection.run_file(migration.sql(step)).await.unwrap();
                }
            }
        }
    }
    assert!(measured > 100, "only {measured} steps were measured");
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
}

async fn fill(connection: &mut Connection, migration: &Migration) {
    for backfill in &migration.manifest().backfills {
        let range = connection
            .query_file(migration.file(&backfill.bounds), &[])
            .await
            .unwrap()
            .remove(0);
        fill::batch(connection, migration, backfill, &range).await;
    }
}

/// What is wrong with the tables besides its own of which a step says that it locks them.
async fn measure(
    url: &str,
    connection: &mut Connection,
    case: &Case,
    sql: &str,
    step: &Step,
) -> Option<String> {
    let place = format!(
        "{}: {} {:?}: {}",
        case.name,
        step.section.name(),
        step.direction,
        step.summary
    );
    if !step.transactional {
        let read_before = rows_read_by_all(connection, &step.table).await;
        let node_before = filenode(connection, &step.table).await;
        let lock = lock_beside_a_writer(url, connection, sql, &step.table).await;
        let is_left = step.summary.contains("that did not end");
        let may_be_gone = step.direction == Direction::Down || is_left;
        if lock.is_none() && may_be_gone && sql.contains(" IF EXISTS ") {
            // The index has gone with its constraint, or only an undo that has not ended leaves one.
            return None;
        }
        assert_eq!(lock.as_deref(), Some(step.lock.as_str()), "{place}: lock");
        let scanned = rows_read_by_all(connection, &step.table).await - read_before;
        assert_eq!(scanned > 0, step.scans, "{place}: scan");
        let rewritten = node_before != filenode(connection, &step.table).await;
        assert_eq!(rewritten, step.rewrites, "{place}: rewrite");
        return None;
    }
    let tables = tables(connection).await;
    let filenode = filenode(connection, &step.table).await;
    let has_rows = tables.contains_key(&step.table) && has_rows(connection, &step.table).await;
    connection.begin().await.unwrap();
    let read_before = rows_read(connection, &step.table).await;
    connection
        .run_file(sql)
        .await
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    let mut own = None;
    let mut others = Vec::new();
    let mut locked = BTreeSet::new();
    for (name, oid) in &tables {
        let lock = strongest(connection, oid).await;
        if *name == step.table {
            own = lock;
        } else {
            if lock.as_deref().is_some_and(keeps_writers_away) {
                locked.insert(name.as_str());
            }
            others.extend(lock);
        }
    }
    let scanned = rows_read(connection, &step.table).await - read_before;
    connection.commit().await.unwrap();

    let existed = tables.contains_key(&step.table);
    match step.lock.strip_suffix(" on the referenced tables") {
        Some(lock) => assert_eq!(others, [lock], "{place}: lock on the referenced tables"),
        None if step.lock == "none" => {
            assert!(!existed || own.is_none(), "{place}: {own:?}");
            assert!(others.is_empty(), "{place}: {others:?}");
        }
        None => assert_eq!(
            own.as_deref(),
            Some(step.lock.as_str()),
            "{place}: lock; {tables:?}, others {others:?}"
        ),
    }
    assert_eq!(scanned > 0, step.scans && has_rows, "{place}: scan");
    let now = self::filenode(connection, &step.table).await;
    let rewritten = existed && now.is_some() && now != filenode;
    assert_eq!(rewritten, step.rewrites, "{place}: rewrite");
    let said: BTreeSet<&str> = step.also_locks.iter().map(String::as_str).collect();
    // What a foreign key or a table with one refers to when it goes is said nowhere.
    let mut unsaid = ["drop the foreign key", "drop the table", "drop what"].into_iter();
    let goes =
        unsaid.any(|goes| step.summary.starts_with(goes) && !step.summary.contains(", and "));
    let named = step.lock.ends_with(" on the referenced tables");
    let is_right = said == locked || ((goes || named) && said.is_empty());
    (!is_right).then(|| format!("{place}: locks {locked:?}, and says {said:?}"))
}

fn keeps_writers_away(lock: &str) -> bool {
    let mut stronger = MODES.iter().skip_while(|(mode, _)| *mode != "ShareLock");
    stronger.any(|(_, words)| *words == lock)
}

/// A concurrent build or drop waits for a writer, and can be looked at meanwhile; `None` where it had nothing to wait for.
/// Returns when its session has ended.
async fn lock_beside_a_writer(
    url: &str,
    connection: &mut Connection,
    sql: &str,
    table: &str,
) -> Option<String> {
    let mut builder = Connection::open(url).await.unwrap();
    let own = "SELECT pg_backend_pid()::bigint";
    let pid = builder.query_file(own, &[]).await.unwrap().remove(0);
    let mut writer = Connection::open(url).await.unwrap();
    writer.begin().await.unwrap();
    let lock = format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", relation(table));
    writer.run_file(&lock).await.unwrap();
    let oid = tables(&mut writer).await.remove(table).unwrap();
    let is_done = std::cell::Cell::new(false);
    let watched = async {
        loop {
            let done = is_done.get();
            let held = mode(&mut writer, &oid, "pid <> pg_backend_pid()").await;
            if held.is_some() || done {
                writer.rollback().await.unwrap();
                return held;
            }
            tokio::task::yield_now().await;
        }
    };
    let executed = async {
        let done = builder.run_file(sql).await;
        is_done.set(true);
        done
    };
    let (held, done) = tokio::join!(watched, executed);
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    drop(builder);
    // A session hands over what it has counted before it leaves the list.
    let there = "SELECT 1 FROM pg_stat_activity WHERE pid = $1::bigint";
    while !connection.query_file(there, &pid).await.unwrap().is_empty() {
        tokio::time::sleep(LOOK).await;
    }
    held
}

async fn strongest(connection: &mut Connection, oid: &str) -> Option<String> {
    mode(connection, oid, "pid = pg_backend_pid()").await
}

async fn mode(connection: &mut Connection, oid: &str, whose: &str) -> Option<String> {
    let sql = format!(
        "SELECT mode FROM pg_locks
         WHERE relation = $1::text::oid AND locktype = 'relation' AND granted AND {whose}"
    );
    let rows = connection.query_file(&sql, &[oid.into()]).await.unwrap();
    let held: Vec<&str> = rows.iter().map(|row| text(&row[0])).collect();
    let strongest = MODES.iter().rev().find(|(mode, _)| held.contains(mode));
    strongest.map(|(_, words)| (*words).to_owned())
}

/// Names with their oids, which outlive a DROP until its transaction ends.
async fn tables(connection: &mut Connection) -> BTreeMap<String, String> {
    let sql =
        "SELECT CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname, c.oid::text
               FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
               WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema', 'zdm')";
    let rows = connection.query_file(sql, &[]).await.unwrap();
    rows.iter()
        .map(|row| (text(&row[0]).to_owned(), text(&row[1]).to_owned()))
        .collect()
}

async fn filenode(connection: &mut Connection, table: &str) -> Option<Value> {
    let sql = "SELECT pg_relation_filenode(to_regclass($1))::bigint";
    let rows = connection
        .query_file(sql, &[relation(table).as_str().into()])
        .await
        .unwrap();
    rows.first()
        .and_then(|row| row.first())
        .filter(|value| **value != Value::Int(None))
        .cloned()
}

/// A table that the version creates has none that a scan could show.
async fn has_rows(connection: &mut Connection, table: &str) -> bool {
    let sql = format!("SELECT 1::bigint FROM {} LIMIT 1", relation(table));
    !connection.query_file(&sql, &[]).await.unwrap().is_empty()
}

/// How many rows sequential scans have read so far; what one transaction reads is the difference.
async fn rows_read(connection: &mut Connection, table: &str) -> i64 {
    let sql = "SELECT coalesce(pg_stat_get_xact_tuples_returned(to_regclass($1)), 0)";
    let rows = connection
        .query_file(sql, &[relation(table).as_str().into()])
        .await
        .unwrap();
    match rows[0][..] {
        [Value::Int(Some(rows))] => rows,
        _ => panic!("{rows:?}"),
    }
}

/// The same of all sessions, as far as they have handed it over; this one does at once what it does once a second else.
async fn rows_read_by_all(connection: &mut Connection, table: &str) -> i64 {
    let flush = "SELECT pg_stat_force_next_flush()";
    connection.run_file(flush).await.unwrap();
    let sql = "SELECT pg_stat_get_tuples_returned(to_regclass($1))";
    let rows = connection
        .query_file(sql, &[relation(table).as_str().into()])
        .await
        .unwrap();
    match rows[0][..] {
        [Value::Int(Some(rows))] => rows,
        _ => panic!("{rows:?}"),
    }
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(Some(text)) => text,
        _ => panic!("{value:?} is no text"),
    }
}
