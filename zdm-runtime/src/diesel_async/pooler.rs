//! Whether a pooler between diesel-async's pool and the server would lose prepared statements.
//!
//! diesel-async names statements by a number, as every process that stands on tokio-postgres does, and connections do not say how
//! to open another one beside them. So two of the pool are compared. Must not know: what the pool is for.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use ::diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Integer, Nullable, Text};

use super::{Parameters, query_with};
use crate::Error;
use crate::database::pool::DieselPool;

/// What another client may be given in between is looked for so often.
const LOOKS: usize = 5;
/// The start of an application is not kept waiting for what it can do without.
const PATIENCE: Duration = Duration::from_secs(5);

/// Fails where a statement that was prepared on a connection of the pool may be another client's when it is executed. What cannot
/// be told is no reason to refuse: a pool of a single connection, or none to be had.
pub(crate) async fn keeps_statements(
    pool: &DieselPool,
    lent: &mut AsyncPgConnection,
) -> Result<(), Error> {
    if pool.status().max_size < 2 {
        return Ok(());
    }
    let Ok(Ok(mut other)) = tokio::time::timeout(PATIENCE, pool.get()).await else {
        return Ok(());
    };
    let mut first = None;
    for round in 0..LOOKS {
        let Some(mine) = look(lent).await? else {
            return Err(Error::StatementsLost);
        };
        if mine.is_renamed {
            return Ok(());
        }
        if *first.get_or_insert(mine.session) != mine.session {
            return Err(Error::StatementsLost);
        }
        // Once and twice by turns: a pooler that hands out two connections one after the other would give each the same one for ever.
        for _ in 0..=round % 2 {
            match look(&mut other).await? {
                Some(theirs) if theirs.session != mine.session => {}
                _ => return Err(Error::StatementsLost),
            }
        }
    }
    Ok(())
}

struct Seen {
    session: i32,
    /// A pooler that follows statements has names of its own for them.
    is_renamed: bool,
}

/// Prepared and executed on one session of the server, whichever that is. `None`: there is a statement of that name already, which is
/// another client's.
async fn look(connection: &mut AsyncPgConnection) -> QueryResult<Option<Seen>> {
    connection.batch_execute("BEGIN").await?;
    let mark = RandomState::new().build_hasher().finish();
    let sql = format!(
        "SELECT pg_catalog.pg_backend_pid() AS session, \
         (SELECT name FROM pg_catalog.pg_prepared_statements WHERE statement LIKE '%{mark:016x}%') AS name"
    );
    let found = query_with(sql, Parameters::default())
        .fetch_optional(connection)
        .await;
    connection.batch_execute("ROLLBACK").await?;
    let row = match found {
        Ok(row) => row.ok_or(DieselError::NotFound)?,
        Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let name: Option<String> = row.try_get::<Nullable<Text>, _>("name")?;
    Ok(Some(Seen {
        session: row.try_get::<Integer, _>("session")?,
        is_renamed: name.is_some_and(|name| !is_drivers(&name)),
    }))
}

/// `s17`
fn is_drivers(name: &str) -> bool {
    let number = name.strip_prefix('s');
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
