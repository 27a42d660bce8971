//! Writers of each release, one on connections that live as long as it does, one on a new connection for every transaction.
//! Inside a transaction that holds a row's lock, a read gives what was just written, and a ledger kept under that lock holds
//! what was committed last, in the words of the last release.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, PgPool, Row as _};
use tokio::task::JoinSet;
use zdm_runtime::Zdm;

const ROWS: i64 = 5;
const PATIENCE: Duration = Duration::from_mins(1);

/// What was committed last, by key: a person's moods, a day's.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<i64, [Option<&'static str>; 3]>>);

pub(crate) struct Writers {
    zdm: Zdm,
    tasks: JoinSet<()>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    /// What each of both has committed.
    writes: [AtomicU64; 2],
}

impl Writers {
    /// Waits until both have written some more.
    pub(crate) async fn written(&self) {
        let counts = || {
            let writes = self.state.writes.iter();
            writes
                .map(|count| count.load(Ordering::SeqCst))
                .collect::<Vec<_>>()
        };
        let (from, began) = (counts(), Instant::now());
        while counts()
            .iter()
            .zip(&from)
            .any(|(now, from)| *now < from + 12)
        {
            assert!(began.elapsed() < PATIENCE, "the writers stand still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends them; none may have failed.
    pub(crate) async fn end(mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.zdm.close().await.unwrap();
    }
}

/// The writers of a release, with its moods, what each is in the last release, and what else they do.
macro_rules! writers_of {
    ($release:ident, $moods:expr, $besides:expr) => {
        pub(crate) async fn $release(url: &str, ledger: &Arc<Ledger>) -> Writers {
            use crate::$release::models::{Day, Mood, Person};
            use crate::$release::zdm::CODE;
            use crate::$release::zdm::{days::Days, persons::Persons};

            let pool = PgPool::connect(url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let state = Arc::new(State::default());
            let mut tasks = JoinSet::new();
            for writer in 0..2 {
                let (persons, days) = (Persons::new(&zdm).unwrap(), Days::new(&zdm).unwrap());
                let (url, state, ledger) = (url.to_owned(), state.clone(), ledger.clone());
                tasks.spawn(async move {
                    let mut kept = PgConnection::connect(&url).await.unwrap();
                    for number in 0_usize.. {
                        if state.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let mut fresh = None;
                        if writer == 1 {
                            fresh = Some(PgConnection::connect(&url).await.unwrap());
                        }
                        let connection = fresh.as_mut().unwrap_or(&mut kept);
                        let moods: &[(Mood, &'static str)] = &$moods;
                        let (mood, shown) = moods[(number + writer) % moods.len()];
                        let (other, other_shown) = moods[number % moods.len()];
                        let before = (number % 2 == 0).then_some(other);
                        let id = i64::try_from(number).unwrap() % ROWS + 1;
                        let person = Person { id, mood, before };
                        let note = format!("{writer} {number}");
                        let day = Day {
                            id,
                            mood: other,
                            note,
                        };

                        let mut transaction = connection.begin().await.unwrap();
                        let conn = &mut *transaction;
                        persons.upsert(conn, &person).await.unwrap();
                        days.upsert(conn, &day).await.unwrap();
                        match number % 4 {
                            0 => assert!(persons.update(conn, &person).await.unwrap()),
                            1 => {
                                assert!(persons.delete(conn, id).await.unwrap());
                                persons.insert(conn, &person).await.unwrap();
                            }
                            2 => {
                                assert!(persons.set_mood(conn, id, &mood).await.unwrap());
                                let before = person.before.as_ref();
                                assert!(persons.set_before(conn, id, before).await.unwrap());
                            }
                            _ => assert!(days.set_mood(conn, id, &other).await.unwrap()),
                        }
                        let read = persons.get_many(conn, &[id]).await.unwrap();
                        assert_eq!(read, [person]);
                        let listed = days.list(conn, Some(id - 1), 1).await.unwrap();
                        assert_eq!(listed, [day]);
                        let committed =
                            [Some(shown), before.map(|_| other_shown), Some(other_shown)];
                        ledger.0.lock().unwrap().insert(id, committed);
                        transaction.commit().await.unwrap();
                        $besides(&persons, connection, mood).await;
                        state.writes[writer].fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let writers = Writers { zdm, tasks, state };
            writers.written().await;
            writers
        }
    };
}

writers_of!(
    old,
    [
        (Mood::Happy, "happy"),
        (Mood::Sad, "unhappy"),
        (Mood::Gloomy, "unhappy"),
        (Mood::SoSo, "calm")
    ],
    async |_: &Persons, _: &mut PgConnection, _: Mood| ()
);
writers_of!(
    transition,
    [
        (Mood::Calm, "calm"),
        (Mood::Unhappy, "unhappy"),
        (Mood::Happy, "happy")
    ],
    async |persons: &Persons, conn: &mut PgConnection, mood: Mood| {
        let mut transaction = conn.begin().await.unwrap();
        crate::by_hand::write_and_read(persons, &mut transaction, mood).await;
        transaction.commit().await.unwrap();
    }
);
writers_of!(
    last,
    [
        (Mood::Calm, "calm"),
        (Mood::Unhappy, "unhappy"),
        (Mood::Happy, "happy")
    ],
    async |_: &Persons, _: &mut PgConnection, _: Mood| ()
);

/// The rows are what was committed last.
pub(crate) async fn compare(url: &str, ledger: &Ledger) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = sqlx::query(
        "SELECT id, persons.mood::text, before::text, days.mood::text AS of_day FROM persons JOIN days USING (id)",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let stored: BTreeMap<i64, [Option<String>; 3]> = rows
        .iter()
        .map(|row| {
            (
                row.get("id"),
                [row.get("mood"), row.get("before"), row.get("of_day")],
            )
        })
        .collect();
    let committed = ledger.0.lock().unwrap().clone();
    let committed: BTreeMap<i64, [Option<String>; 3]> = committed
        .into_iter()
        .map(|(id, moods)| (id, moods.map(|mood| mood.map(str::to_owned))))
        .collect();
    assert_eq!(stored, committed);
}
