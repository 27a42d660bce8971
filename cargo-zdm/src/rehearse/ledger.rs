//! A backfill that is killed in the middle, as far as the control tables tell that it is there.
//!
//! `PostgreSQL`: the server ends the connections of the command. `SQLite`: the command is dropped where it stands, as a process that
//! is killed leaves it.
//! Must not know: the load, the other steps.

use std::time::Duration;

use zdm_runtime::database::{Connection, DatabaseError, Dialect, Value};

use crate::error::Failure;
use crate::operate::moves::backfill::{self, Effort};
use crate::operate::session::{Session, connect};

/// Between two looks at the ledger.
const LOOK: Duration = Duration::from_millis(1);

const DONE: &str =
    "SELECT CAST(coalesce(sum(rows_seen), 0) AS bigint) FROM {zdm}chunk WHERE migration = $1";

/// Of the connections that commands open, all but those of this session and of who asks.
const END: &str = "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM pg_stat_activity
     WHERE application_name = 'zdm' AND datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND pid <> $1";

/// What a dead command leaves is free once its lease has run out: that wait is not rehearsed.
const RUN_OUT: &str = "UPDATE {zdm}operator SET lease_until = 0";

/// Starts a backfill of one row per batch and ends it once rows are behind its cursor. Whether it was still at work.
pub(super) async fn kill_backfill(mut session: Session, place: usize) -> Result<bool, Failure> {
    let id = session.manifest(place).id.clone();
    let mut watch = connect(session.url()).await?;
    let own = own_backend(&mut session.connection).await?;
    let slowly = Effort {
        no_throttle: true,
        most_rows: 1,
        ..Effort::gentle()
    };
    let mut killed = false;
    {
        let mut work = std::pin::pin!(backfill::run(&mut session, place, slowly));
        tokio::select! {
            ended = &mut work => { ended?; }
            begun = under_way(&mut watch, &id) => {
                begun?;
                killed = true;
                if let Some(own) = own {
                    watch.query(END, &[own]).await?;
                    // It may have ended just now.
                    killed = work.await.is_err();
                }
            }
        }
    }
    if killed {
        watch.execute(RUN_OUT, &[]).await?;
    }
    Ok(killed)
}

/// The session's own process on the server.
async fn own_backend(connection: &mut Connection) -> Result<Option<Value>, DatabaseError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(None);
    }
    let rows = connection
        .query("SELECT pg_catalog.pg_backend_pid()", &[])
        .await?;
    Ok(rows.into_iter().flatten().next())
}

/// Waits until the cursor has moved.
async fn under_way(watch: &mut Connection, migration: &str) -> Result<(), DatabaseError> {
    loop {
        let rows = watch.query(DONE, &[migration.into()]).await?;
        if rows != [[Value::from(0)]] {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}
