//! How long the load waits for locks, as `PostgreSQL` shows it from the outside.
//!
//! Must not know: which locks, whose.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use zdm_runtime::database::{Connection, DatabaseError, Dialect, Value};

use super::line::NAME;
use super::work::Shared;

/// Between two looks: a shorter wait may go unseen.
const LOOK: Duration = Duration::from_millis(10);

const LONGEST: &str = "
SELECT CAST(coalesce(max(extract(epoch FROM pg_catalog.clock_timestamp() - query_start)) * 1000, 0) AS bigint) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND application_name = $1 AND datname = pg_catalog.current_database()";

/// Looks on. It ends with its value.
#[derive(Debug)]
pub(super) struct Waits(JoinHandle<()>);

impl Waits {
    /// Begins to look on; on `SQLite`, where each transaction begins with its wait, there is nothing to look at.
    pub(super) async fn watch(shared: Arc<Shared>) -> Result<Option<Self>, DatabaseError> {
        if Dialect::of_url(&shared.url) != Some(Dialect::Postgres) {
            return Ok(None);
        }
        let mut connection = Connection::open(&shared.url).await?;
        // The backfill's connections are ended by the name that commands have.
        let name = format!("SET application_name = '{NAME} waits'");
        connection.run_file(&name).await?;
        Ok(Some(Self(tokio::spawn(async move {
            while let Ok(rows) = connection.query(LONGEST, &[NAME.into()]).await {
                if let Some([Value::Int(Some(millis))]) = rows.first().map(Vec::as_slice) {
                    let wait = Duration::from_millis(millis.unsigned_abs());
                    shared.tally().waited(wait);
                }
                tokio::time::sleep(LOOK).await;
            }
        }))))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.abort();
    }
}
