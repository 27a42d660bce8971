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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Pace {
    /// Rows behind the cursors.
    pub(crate) rows: u64,
    /// Which time rows are gone over that nothing tells apart, from the second on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pass: Option<i64>,
    /// Rows of the tables, as the database reckons.
    pub(crate) total: u64,
    /// Measured now; `None`: nobody works at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows_per_second: Option<f64>,
    /// How long the rest takes at that rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds_left: Option<f64>,
    /// Why a worker is slower than it could be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) throttle: Option<String>,
}

/// One look.
struct Look {
    /// Rows behind the cursors.
    rows: u64,
    /// Chunks that somebody works at.
    workers: i64,
    chunks: i64,
    /// Passes that left rows.
    passes: i64,
    throttle: Option<String>,
}

/// Looks at the ledger; `None` where no backfill has begun.
pub(crate) async fn measure(session: &mut Session, place: usize) -> Result<Option<Pace>, Failure> {
    let first = look(session, place).await?;
    if first.chunks == 0 {
        return Ok(None);
    }
    let mut total = 0;
    let migration = session.migrations[place].clone();
    for backfill in &migration.manifest().backfills {
        total += estimate(&mut session.connection, &backfill.table).await?;
    }
    let mut found = Pace {
        rows: first.rows,
        pass: (first.passes > 0).then_some(first.passes + 1),
        total: total.max(first.rows),
        rows_per_second: None,
        seconds_left: None,
        throttle: first.throttle,
    };
    if first.workers > 0 {
        let began = Instant::now();
        tokio::time::sleep(BETWEEN).await;
        let second = look(session, place).await?;
        found.rows = second.rows;
        found.throttle = second.throttle;
        // A rate needs no exactness.
        #[allow(clippy::cast_precision_loss)]
        let rate = found.rows.saturating_sub(first.rows) as f64 / began.elapsed().as_secs_f64();
        found.rows_per_second = Some(rate);
        #[allow(clippy::cast_precision_loss)]
        let left = found.total.saturating_sub(found.rows) as f64;
        found.seconds_left = (rate > 0.0).then(|| left / rate);
    }
    Ok(Some(found))
}

async fn look(session: &mut Session, place: usize) -> Result<Look, Failure> {
    let id = session.manifest(place).id.clone();
    // Tables of an older tool have no such column.
    let throttle = match session.older_control_tables() {
        Some(..4) => "CAST(NULL AS text)",
        _ => "max(CASE WHEN lease_until > {now} THEN throttle END)",
    };
    let sql = format!(
        "SELECT CAST(coalesce(sum(CASE WHEN passed.before IS NULL OR chunk > passed.before THEN rows_seen END), 0) AS bigint),
                count(CASE WHEN state <> 'done' AND lease_until > {{now}} THEN 1 END), count(*),
                coalesce(max(passed.passes), 0), {throttle}
         FROM {{zdm}}chunk LEFT JOIN
              (SELECT table_name AS passed_table, max(chunk) AS before, count(*) AS passes FROM {{zdm}}chunk
               WHERE migration = $1 AND direction = 'up' AND lo = '[]' AND cursor_key <> '0' GROUP BY table_name) AS passed
              ON passed.passed_table = table_name
         WHERE migration = $1 AND direction = 'up'"
    );
    let rows = session.connection.query(&sql, &[id.into()]).await?;
    match rows.first().map(Vec::as_slice) {
        Some(
            [
                Value::Int(Some(rows)),
                Value::Int(Some(workers)),
                Value::Int(Some(chunks)),
                Value::Int(Some(passes)),
                Value::Text(throttle),
            ],
        ) => Ok(Look {
            rows: u64::try_from(*rows).unwrap_or_default(),
            workers: *workers,
            chunks: *chunks,
            passes: *passes,
            throttle: throttle.clone(),
        }),
        other => Err(Failure::environment(
            format!("the backfill's ledger is not understood: {other:?}"),
            "use the version of zdm that wrote it",
        )),
    }
}
