//! Every write of diesel-async's code against the backfill, the hops and itself, through all stages and back, in transactions of
//! each isolation level that is in use. The oracle: whoever holds a row's lock knows what was committed to it last, by a
//! ledger that is kept under these locks; rows that were deleted are in nobody's ledger.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Text};
use diesel_async::AsyncPgConnection;
use futures_util::TryStreamExt as _;
use zdm_runtime::backfill::Way;
use zdm_runtime::diesel_async::Parameters;
use zdm_runtime::hop::Target;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::Side;
use zdm_runtime::{Code, CodeState, Error, MigrationCode, Stage, TableCode, Zdm};
use zdm_tests::cases::Case;
use zdm_tests::diesel::pool;
use zdm_tests::operator::Operator;

use crate::postgres::models::User;
use crate::postgres::zdm::users::{UserChanges, Users, fragments};
use crate::tables::{MIGRATION, postgres};

const ROWS: i64 = 5;
const WRITERS: u64 = 4;
const ROWS_BEFORE: &str =
    "INSERT INTO users (name) VALUES ('First'), ('2'), ('3'), ('4'), ('Fifth')";

pub(crate) static CODE: Code = Code {
    tables: &[TableCode {
        table: "users",
        migrations: &[MigrationCode {
            id: MIGRATION,
            name: "case",
            state: CodeState::Transition,
        }],
    }],
};

type Ledger = Arc<Mutex<BTreeMap<i64, String>>>;

/// The version that the generated code of `users` was made for.
fn case() -> Case {
    Case {
        name: "renamed".to_owned(),
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated/renamed"),
    }
}

/// Through all stages, with the ways back that there are.
async fn journey(operator: &mut Operator) {
    operator.written().await;
    operator.write_both().await;
    operator.back(Stage::Off).await;
    operator.write_both().await;
    operator.section(Section::SwitchReads, Direction::Up).await;
    operator.section(Section::Release, Direction::Up).await;
    operator.advance(Target::stage(Stage::Shadow)).await;
    operator.advance(Target::live(5_000).unwrap()).await;
    operator.back(Stage::DualWrite).await;
    operator.complete().await;
    operator.back(Stage::RampDown).await;
    operator.fill(Way::Reverse).await;
    operator.verify(Side::Old).await;
    operator.back(Stage::DualWrite).await;
    operator.fill(Way::Up).await;
    operator.verify(Side::New).await;
    operator.complete().await;
    operator.load.stop.store(true, Ordering::SeqCst);
}

/// How transactions see each other.
#[derive(Clone, Copy)]
enum Level {
    ReadCommitted,
    RepeatableRead,
}

/// Whether the database has ended the transaction for another's sake, as it may: it is begun once more.
fn is_overtaken(error: &Error) -> bool {
    match error.diesel() {
        Some(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
        Some(DieselError::DatabaseError(_, told)) => told.message().contains("deadlock"),
        _ => false,
    }
}

async fn lock(conn: &mut AsyncPgConnection, id: i64) -> Result<usize, DieselError> {
    let query = diesel::sql_query("SELECT 1 FROM users WHERE id = $1 FOR UPDATE");
    diesel_async::RunQueryDsl::execute(query.bind::<BigInt, _>(id), conn).await
}

/// One transaction, and what it leaves in which rows. Every turn it is another write.
#[allow(clippy::too_many_lines, reason = "every write has its turn")]
async fn write(
    users: &Users,
    conn: &mut AsyncPgConnection,
    turn: u64,
    ledger: &Ledger,
) -> Result<(), Error> {
    let id = i64::try_from(turn % ROWS.unsigned_abs()).unwrap() + 1;
    let user = |id, name: &str| User {
        id,
        full_name: name.to_owned(),
        email: Some(format!("{turn}@x")),
        greeted: false,
    };
    let name = format!("turn {turn}");
    let changes = UserChanges {
        full_name: Some(&name),
        ..UserChanges::default()
    };
    lock(conn, id).await?;
    let before = users.get(conn, id).await?.unwrap().full_name;
    let known = ledger.lock().unwrap().get(&id).cloned();
    assert_eq!(
        known.as_ref().unwrap_or(&before),
        &before,
        "before turn {turn}"
    );
    let (mut left, mut gone) = (vec![(id, name.clone())], None);
    match turn % 9 {
        0 => assert!(users.update(conn, &user(id, &name)).await?),
        1 => users.upsert(conn, &user(id, &name)).await?,
        2 => assert!(users.set_full_name(conn, id, &name).await?),
        3 => assert!(users.change(conn, id, &changes).await?),
        4 => {
            let found = users.change_where(conn, &changes, |flags, parameters| {
                let (key, name) = (
                    parameters.bind::<BigInt, _>(id),
                    parameters.bind::<Text, _>(&before),
                );
                format!("id = {key} AND {} = {name}", fragments::full_name(flags))
            });
            assert_eq!(found.await?, 1, "turn {turn}");
        }
        5 => {
            // Upwards, as everybody locks.
            let other = (id + 1).min(ROWS);
            let both = users.change_where(conn, &changes, |_, parameters| {
                format!(
                    "id IN ({}, {})",
                    parameters.bind::<BigInt, _>(id),
                    parameters.bind::<BigInt, _>(other)
                )
            });
            assert_eq!(both.await?, if other == id { 1 } else { 2 }, "turn {turn}");
            left.push((other, name.clone()));
        }
        6 => {
            // New is made of the row as it is when it is locked.
            let longer = before.len() < 100;
            let text = if longer { "'+'" } else { "''" };
            let mut flags = users.flags().current();
            loop {
                let value = format!("({} || {text})", fragments::full_name(flags));
                let sql = format!(
                    "UPDATE users SET {} WHERE id = $1 AND {}",
                    fragments::set_full_name(flags, &value),
                    fragments::guard("$2")
                );
                let query = diesel::sql_query(sql)
                    .bind::<BigInt, _>(id)
                    .bind::<BigInt, _>(flags.epoch());
                let done = diesel_async::RunQueryDsl::execute(query, conn).await?;
                if done == 1 {
                    break;
                }
                flags = users.flags().refresh(conn).await?;
            }
            left = vec![(id, if longer { before + "+" } else { before })];
        }
        7 => {
            left.clear();
            let rows = ["a", "b", "c"].map(|last| user(0, &format!("{name} {last}")));
            let keys = users.insert_many(conn, &rows).await?;
            let mine = |flags, parameters: &mut Parameters<'_>| {
                let name = parameters.bind::<Text, _>(format!("{name} %"));
                format!("{} LIKE {name}", fragments::full_name(flags))
            };
            let mut found = users.list_where(conn, mine).await?;
            found.sort_by_key(|user| user.id);
            let found: Vec<_> = found.into_iter().map(|user| user.full_name).collect();
            assert_eq!(found, rows.map(|user| user.full_name));
            assert_eq!(users.delete_where(conn, mine).await?, 3, "turn {turn}");
            assert_eq!(users.get_many(conn, &keys).await?, []);
        }
        _ if turn < 400 => {
            let rows = [user(0, &format!("{name} x")), user(0, &format!("{name} y"))];
            let keys = users.insert_many(conn, &rows).await?;
            left = keys
                .into_iter()
                .zip(rows.map(|user| user.full_name))
                .collect();
        }
        _ => {
            let kept = ledger.lock().unwrap().keys().copied().max();
            let other = kept.filter(|kept| *kept > ROWS);
            left.clear();
            if let Some(other) = other {
                lock(conn, other).await?;
                gone = users.delete(conn, other).await?.then_some(other);
            }
        }
    }
    for (id, name) in &left {
        let read = users.get(conn, *id).await?.unwrap();
        assert_eq!(&read.full_name, name, "after turn {turn}");
    }
    {
        let mut ledger = ledger.lock().unwrap();
        gone.map(|gone| ledger.remove(&gone));
        ledger.extend(left);
    }
    Ok(())
}

async fn loses_nothing(level: Level) {
    let (_guard, url) = postgres();
    let mut operator = Operator::of(&case(), &url, ROWS_BEFORE).await;
    let ledger = Ledger::default();
    let pool = pool(&url);
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    zdm.ready().unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let users = Users::new(&zdm).unwrap();
        let (pool, load, ledger) = (pool.clone(), operator.load.clone(), ledger.clone());
        writers.spawn(async move {
            for number in 0_u64.. {
                if load.stop.load(Ordering::SeqCst) {
                    break;
                }
                let mut conn = pool.get().await.unwrap();
                let turn = number * WRITERS + writer;
                let transaction = conn.build_transaction();
                let mut transaction = match level {
                    Level::ReadCommitted => transaction.read_committed(),
                    Level::RepeatableRead => transaction.repeatable_read(),
                };
                let (users, ledger) = (&users, &ledger);
                let written = transaction
                    .run(async move |conn| write(users, conn, turn, ledger).await)
                    .await;
                match written {
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
    let users = Users::new(&zdm).unwrap();
    let mut conn = pool.get().await.unwrap();
    let stored = users
        .stream(&mut conn, 3)
        .map_ok(|user| (user.id, user.full_name));
    let stored: BTreeMap<_, _> = stored.try_collect().await.unwrap();
    assert_eq!(stored, *ledger.lock().unwrap());
    drop(conn);
    zdm.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn read_committed_loses_nothing() {
    loses_nothing(Level::ReadCommitted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeatable_read_loses_nothing() {
    loses_nothing(Level::RepeatableRead).await;
}
