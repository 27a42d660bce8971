//! How fast a backfill goes that somebody else runs: two looks at its ledger, a second apart.

use std::time::{Duration, Instant};

use serde::Serialize;
use zdm_runtime::backfill::estimate;
use zdm_runtime::database::Value;

use crate::error::Failure;
use crate::operate::session::Session;

/// Between the two looks.
const BETWEEN: Duration = Duration::from_secs(1);

/// A backfill's progress.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Pace {
    /// Rows behind the cursors.
    pub(crate) rows: u64,
    /// Rows of the tables, as the database reckons.
    pub(crate) total: u64,
    /// Measured now; `None`: nobody works at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows_per_second: Option<f64>,
    /// How long the rest takes at that rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds_left: Option<f64>,
}

/// Looks at the ledger; `None` where no backfill has begun.
pub(crate) async fn measure(session: &mut Session, place: usize) -> Result<Option<Pace>, Failure> {
    let (before, workers, chunks) = look(session, place).await?;
    if chunks == 0 {
        return Ok(None);
    }
    let mut total = 0;
    for backfill in &session.migrations[place].manifest().backfills {
        total += estimate(&mut session.connection, &backfill.table).await?;
    }
    let mut found = Pace {
        rows: before,
        total: total.max(before),
        rows_per_second: None,
        seconds_left: None,
    };
    if workers > 0 {
        let began = Instant::now();
        tokio::time::sleep(BETWEEN).await;
        found.rows = look(session, place).await?.0;
        // A rate needs no exactness.
        #[allow(clippy::cast_precision_loss)]
        let rate = found.rows.saturating_sub(before) as f64 / began.elapsed().as_secs_f64();
        found.rows_per_second = Some(rate);
        #[allow(clippy::cast_precision_loss)]
        let left = found.total.saturating_sub(found.rows) as f64;
        found.seconds_left = (rate > 0.0).then(|| left / rate);
    }
    Ok(Some(found))
}

/// Rows behind the cursors, chunks that somebody works at, all chunks.
async fn look(session: &mut Session, place: usize) -> Result<(u64, i64, i64), Failure> {
    let id = session.manifest(place).id.clone();
    let rows = session
        .connection
        .query(
            "SELECT CAST(coalesce(sum(rows_seen), 0) AS bigint),
                    count(CASE WHEN state <> 'done' AND lease_until > {now} THEN 1 END), count(*)
             FROM {zdm}chunk WHERE migration = $1 AND direction = 'up'",
            &[id.into()],
        )
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some(
            [
                Value::Int(Some(rows)),
                Value::Int(Some(workers)),
                Value::Int(Some(chunks)),
            ],
        ) => Ok((u64::try_from(*rows).unwrap_or_default(), *workers, *chunks)),
        other => Err(Failure::environment(
            format!("the backfill's ledger is not understood: {other:?}"),
            "use the version of zdm that wrote it",
        )),
    }
}
