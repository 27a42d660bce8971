//! What stands between this process and `PostgreSQL`: nothing, or a pooler that lends its connections to the server for a
//! transaction at a time (PgBouncer's `pool_mode = transaction`).
//!
//! There a setting of a session stays with whoever gets the connection next, and so does a prepared statement. Comes in: how to
//! connect. Goes out: [`Reached`], or that statements get lost. Must not know: what the connection is for.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool,
    Row as _,
};

use crate::Error;

/// A setting that the server takes from nobody but who connects: a pooler refuses or forgets it.
const MARK: &str = "zdm.session";
/// Names that sqlx gives: a pooler that follows statements has names of its own.
const DRIVERS_NAMES: &str = "sqlx_s_";
/// What another client may be given in between is looked for so often.
const LOOKS: usize = 5;
/// The start of an application is not kept waiting for what it can do without.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a connection leads to.
#[derive(Debug)]
pub(super) enum Reached {
    /// A session of the server's, which is this connection's alone; no policy hides rows from it without an error.
    Server(PgConnection),
    /// Something that the session's settings did not come through, so that it may be another one in each transaction.
    Pooler(PgConnection),
}

/// Connects with a mark that only a session of one's own has.
pub(super) async fn connect(options: PgConnectOptions) -> Result<Reached, sqlx::Error> {
    let mark = random();
    // A row that a policy hides from this role would be passed over by a backfill and count as verified: it is an error.
    let settings = [(MARK, mark.as_str()), ("row_security", "off")];
    match options.clone().options(settings).connect().await {
        Ok(mut connection) => {
            let sql = format!("SELECT pg_catalog.current_setting('{MARK}', true)");
            let found: Option<String> = ask(&mut connection, sql).await?;
            Ok(if found.as_deref() == Some(mark.as_str()) {
                Reached::Server(connection)
            } else {
                Reached::Pooler(connection)
            })
        }
        Err(error) if may_be_of_a_setting(&error) => {
            let plain = options.extra_float_digits(None);
            plain.connect().await.map(Reached::Pooler)
        }
        Err(error) => Err(error),
    }
}

/// The server says who may not connect, to what, and that it is full, in words that another try would not change.
fn may_be_of_a_setting(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    !["28", "3D", "53", "57"]
        .iter()
        .any(|class| code.starts_with(class))
}

/// Fails where a statement that was prepared on a connection of the pool may be another client's when it is executed. What cannot
/// be told is no reason to refuse: a connection that is not to be had, or a pooler whose connections nobody else was given.
pub(crate) async fn keeps_statements(pool: &PgPool, lent: &mut PgConnection) -> Result<(), Error> {
    let options = pool.connect_options();
    let Ok(Ok(reached)) = tokio::time::timeout(PATIENCE, connect((*options).clone())).await else {
        return Ok(());
    };
    let mut other = match reached {
        Reached::Server(connection) => {
            let _ = connection.close().await;
            return Ok(());
        }
        Reached::Pooler(connection) => connection,
    };
    if follows_statements(lent).await? || !is_shared(lent, &mut other).await? {
        return Ok(());
    }
    Err(Error::StatementsLost)
}

/// Whether the pooler gives statements names of its own, by which it finds them again on every connection to the server.
async fn follows_statements(lent: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let sql = format!(
        "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%{}%'",
        random()
    );
    // Prepared and executed on one connection to the server, wherever that is.
    lent.execute("BEGIN").await?;
    let named = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql))
        .fetch_optional(&mut *lent)
        .await;
    lent.execute("ROLLBACK").await?;
    match named {
        Ok(name) => Ok(name.is_some_and(|name| !name.starts_with(DRIVERS_NAMES))),
        // There is a statement of that name on the server already: another client's.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P05") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether two clients were given the same connection to the server, or one client two of them.
async fn is_shared(lent: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut first = None;
    for round in 0..LOOKS {
        let mine = backend(lent).await?;
        if *first.get_or_insert(mine) != mine {
            return Ok(true);
        }
        // Once and twice by turns: a pooler that hands out two connections one after the other would give each the same one for ever.
        for _ in 0..=round % 2 {
            other.execute("BEGIN").await?;
            let theirs = backend(other).await?;
            other.execute("ROLLBACK").await?;
            if theirs == mine {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    ask(connection, "SELECT pg_catalog.pg_backend_pid()".to_owned()).await
}

/// Nothing is prepared for it: one message, one transaction.
async fn ask<T>(connection: &mut PgConnection, sql: String) -> Result<T, sqlx::Error>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let row = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await?;
    row.try_get(0)
}

fn random() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
