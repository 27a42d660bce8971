//! The application's own repository under load: one writer per table, which knows what it has written last.
//!
//! Comes in: a repository, a pool. Goes out: writes, and the first row that is not what was written.
//! Must not know: which stage it is.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::TestError;
use crate::{Error, Pool, Zdm};

/// A writer begins after so many rows from the start.
const MOST_ROWS: i64 = 1_000;
/// Rows whose values a writer gives to one another are so far apart.
const APART: usize = 3;

/// A database that sqlx has a driver for.
pub trait Database: sqlx::Database {
    #[doc(hidden)]
    fn pool(pool: &Pool) -> Option<sqlx::Pool<Self>>;
}

#[cfg(feature = "postgres")]
impl Database for sqlx::Postgres {
    fn pool(pool: &Pool) -> Option<sqlx::Pool<Self>> {
        match pool {
            Pool::Postgres(pool) => Some(pool.clone()),
            #[cfg(any(feature = "sqlite", feature = "diesel-async"))]
            _ => None,
        }
    }
}

#[cfg(feature = "sqlite")]
impl Database for sqlx::Sqlite {
    fn pool(pool: &Pool) -> Option<sqlx::Pool<Self>> {
        match pool {
            Pool::Sqlite(pool) => Some(pool.clone()),
            #[cfg(feature = "postgres")]
            _ => None,
        }
    }
}

type Connection<R> = <<R as Repository>::Database as sqlx::Database>::Connection;

/// A generated repository, as the generated test lends it.
pub trait Repository: Sized + Send + Sync + 'static {
    /// Where its rows are.
    type Database: Database;
    /// The struct.
    type Row: Send + Sync;
    /// What tells rows apart.
    type Key: Ord + Clone + Debug + Send + Sync;

    /// The table, unquoted.
    const TABLE: &'static str;
    /// Other rows refer to its rows, so that none is deleted.
    const KEEPS_ROWS: bool = false;

    /// The repository.
    fn of(zdm: &Zdm) -> Result<Self, Error>;
    /// A row's key.
    fn key(row: &Self::Row) -> Self::Key;
    /// What the columns of the migration hold, as text.
    fn values(row: &Self::Row) -> String;
    /// Two rows exchange what the columns of the migration hold.
    fn exchange(one: &mut Self::Row, other: &mut Self::Row);

    /// The first rows.
    fn list(
        &self,
        conn: &mut Connection<Self>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send;
    /// Stores a new row, and gives its key.
    fn insert(
        &self,
        conn: &mut Connection<Self>,
        row: &Self::Row,
    ) -> impl Future<Output = Result<Self::Key, Error>> + Send;
    /// Writes a row.
    fn update(
        &self,
        conn: &mut Connection<Self>,
        row: &Self::Row,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Stores a row, or writes the one with its key.
    fn upsert(
        &self,
        conn: &mut Connection<Self>,
        row: &Self::Row,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Deletes a row.
    fn delete(
        &self,
        conn: &mut Connection<Self>,
        key: &Self::Key,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// What the writers and whoever moves the migration tell each other.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// The writers end.
    pub(super) stop: AtomicBool,
    /// One has failed.
    pub(super) failed: AtomicBool,
}

/// One writer.
pub(super) struct Writer {
    pub(super) table: &'static str,
    /// How often it has compared all rows and written one.
    pub(super) rounds: Arc<AtomicU64>,
    pub(super) ends: tokio::task::JoinHandle<Result<usize, TestError>>,
}

/// Starts one.
pub(super) type Start = fn(&Zdm, &Pool, &Arc<Load>) -> Result<Writer, TestError>;

pub(super) fn start<R: Repository>(
    zdm: &Zdm,
    pool: &Pool,
    load: &Arc<Load>,
) -> Result<Writer, TestError> {
    let pool = R::Database::pool(pool).ok_or_else(|| {
        TestError::Unprepared(
            "the repositories are for another database than the version".to_owned(),
        )
    })?;
    let repository = R::of(zdm)?;
    let rounds = Arc::new(AtomicU64::new(0));
    let (counted, load) = (Arc::clone(&rounds), Arc::clone(load));
    let ends = tokio::spawn(async move {
        let ended = writes(&repository, &pool, &load, &counted).await;
        if ended.is_err() {
            load.failed.store(true, Ordering::SeqCst);
        }
        ended
    });
    Ok(Writer {
        table: R::TABLE,
        rounds,
        ends,
    })
}

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Writes until it is told to end; how many rows there are then.
fn writes<'a, R: Repository>(
    repository: &'a R,
    pool: &'a sqlx::Pool<R::Database>,
    load: &'a Load,
    rounds: &'a AtomicU64,
) -> Work<'a, Result<usize, TestError>> {
    Box::pin(async move {
        let mut written: Option<BTreeMap<R::Key, String>> = None;
        loop {
            let round = rounds.load(Ordering::SeqCst);
            let mut conn = pool.acquire().await.map_err(Error::from)?;
            let mut rows = repository.list(&mut conn, MOST_ROWS).await?;
            let found = rows.iter().map(|row| (R::key(row), R::values(row)));
            let found: BTreeMap<_, _> = found.collect();
            let expected = written.get_or_insert_with(|| found.clone());
            if let Some(difference) = difference::<R>(expected, &found) {
                return Err(TestError::Found(difference));
            }
            if load.stop.load(Ordering::SeqCst) {
                return Ok(found.len());
            }
            let first = usize::try_from(round).unwrap_or_default() % rows.len();
            let second = (first + APART) % rows.len();
            let mut one = rows.swap_remove(first);
            let turn = if R::KEEPS_ROWS { round % 2 } else { round % 3 };
            if turn != 2 && !rows.is_empty() {
                let other = second % rows.len();
                R::exchange(&mut one, &mut rows[other]);
            }
            let key = R::key(&one);
            let key = match turn {
                0 => {
                    if !repository.update(&mut conn, &one).await? {
                        return Err(missed::<R>("update", &key));
                    }
                    key
                }
                1 => {
                    repository.upsert(&mut conn, &one).await?;
                    key
                }
                _ => {
                    if !repository.delete(&mut conn, &key).await? {
                        return Err(missed::<R>("delete", &key));
                    }
                    expected.remove(&key);
                    repository.insert(&mut conn, &one).await?
                }
            };
            expected.insert(key, R::values(&one));
            rounds.fetch_add(1, Ordering::SeqCst);
        }
    })
}

fn missed<R: Repository>(what: &str, key: &R::Key) -> TestError {
    TestError::Found(format!(
        "{}: a row that was read a moment before, {key:?}, was not there for its {what}",
        R::TABLE
    ))
}

/// Every row is what was last written, and there is no other.
fn difference<R: Repository>(
    written: &BTreeMap<R::Key, String>,
    found: &BTreeMap<R::Key, String>,
) -> Option<String> {
    let table = R::TABLE;
    for (key, values) in written {
        match found.get(key) {
            None => {
                return Some(format!(
                    "{table}: the row {key:?} is gone, and nobody has deleted it"
                ));
            }
            Some(read) if read != values => {
                return Some(format!(
                    "{table}: of the row {key:?} {values} was written last, and {read} is read"
                ));
            }
            Some(_) => {}
        }
    }
    let other = found.keys().find(|key| !written.contains_key(key))?;
    Some(format!("{table}: nobody has written the row {other:?}"))
}
