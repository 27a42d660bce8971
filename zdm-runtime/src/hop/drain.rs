//! Waiting for every transaction from before a hop: what they wrote follows the stage that they saw.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::HopError;
use crate::database::older_transactions::{self, OlderTransaction};
use crate::database::{Connection, DatabaseError, Value};
use crate::operator::Lease;
use crate::{Error, Stage};

/// Between two looks at the transactions that are waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits until no transaction from before the last hop is left, and records it.
pub(super) async fn wait(
    connection: &mut Connection,
    lease: &Lease,
    patience: Duration,
) -> Result<Duration, HopError> {
    let began = Instant::now();
    let rows = connection
        .query(
            "SELECT epoch, drained_epoch, stage FROM {zdm}stage WHERE migration = $1",
            &[lease.migration().into()],
        )
        .await?;
    let Some(
        [
            Value::Int(Some(epoch)),
            Value::Int(Some(drained)),
            Value::Text(Some(stage)),
        ],
    ) = rows.first().map(Vec::as_slice)
    else {
        return Err(HopError::NoStage {
            migration: lease.migration().to_owned(),
        });
    };
    if drained >= epoch {
        return Ok(Duration::ZERO);
    }
    let stage: Stage = stage.parse().map_err(|error| {
        HopError::Control(Error::Unreadable {
            what: format!("{error}"),
        })
    })?;
    let older = older_transactions::open(connection).await?;
    let left = wait_for(
        connection,
        lease,
        older,
        older_transactions::open,
        began,
        patience,
    )
    .await?;
    let left = if left.is_empty() {
        let prepared = older_transactions::prepared(connection).await?;
        wait_for(
            connection,
            lease,
            prepared,
            older_transactions::prepared,
            began,
            patience,
        )
        .await?
    } else {
        left
    };
    if !left.is_empty() {
        return Err(HopError::NotDrained {
            stage,
            seconds: began.elapsed().as_secs(),
            older: left,
        });
    }
    connection
        .execute(
            "UPDATE {zdm}stage SET drained_epoch = $2 WHERE migration = $1 AND epoch = $2",
            &[lease.migration().into(), (*epoch).into()],
        )
        .await?;
    Ok(began.elapsed())
}

/// What of `waited_for` is still there when patience ends.
async fn wait_for<F>(
    connection: &mut Connection,
    lease: &Lease,
    mut waited_for: BTreeSet<OlderTransaction>,
    look: F,
    began: Instant,
    patience: Duration,
) -> Result<Vec<OlderTransaction>, HopError>
where
    F: AsyncFn(&mut Connection) -> Result<BTreeSet<OlderTransaction>, DatabaseError>,
{
    while !waited_for.is_empty() && began.elapsed() < patience {
        tokio::time::sleep(LOOK_AGAIN).await;
        lease.renew(connection).await?;
        let ids: BTreeSet<String> = look(connection)
            .await?
            .into_iter()
            .map(|open| open.id)
            .collect();
        waited_for.retain(|older| ids.contains(&older.id));
    }
    Ok(waited_for.into_iter().collect())
}
