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
/// Well below the lease's length.
const RENEW_AFTER: Duration = Duration::from_secs(15);

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
    let mut wait = Wait {
        lease,
        began,
        renewed: began,
        patience,
    };
    let mut left = wait
        .until_gone(connection, older_transactions::open)
        .await?;
    if left.is_empty() {
        left = wait
            .until_gone(connection, older_transactions::prepared)
            .await?;
    }
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

struct Wait<'a> {
    lease: &'a Lease,
    began: Instant,
    renewed: Instant,
    patience: Duration,
}

impl Wait<'_> {
    /// Waits for what `look` shows now; what of it is still there when patience ends.
    async fn until_gone<F>(
        &mut self,
        connection: &mut Connection,
        look: F,
    ) -> Result<Vec<OlderTransaction>, HopError>
    where
        F: AsyncFn(&mut Connection) -> Result<BTreeSet<OlderTransaction>, DatabaseError>,
    {
        let mut older = look(connection).await?;
        while !older.is_empty() && self.began.elapsed() < self.patience {
            tokio::time::sleep(LOOK_AGAIN).await;
            if self.renewed.elapsed() > RENEW_AFTER {
                self.lease.renew(connection).await?;
                self.renewed = Instant::now();
            }
            let present = look(connection).await?;
            older.retain(|waited_for| present.iter().any(|open| open.id == waited_for.id));
        }
        Ok(older.into_iter().collect())
    }
}
