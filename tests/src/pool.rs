//! Pools for writers under load.

use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{PgPool, SqlitePool};

/// A pool whose connections wait for a lock as long as it takes on a busy machine.
#[allow(async_fn_in_trait, reason = "two pools of one workspace's tests")]
pub trait Patient: Sized {
    /// A pool of the database at an address.
    ///
    /// # Panics
    ///
    /// Where it cannot be connected to.
    async fn patient(url: &str) -> Self;
}

impl Patient for SqlitePool {
    /// `SQLite` does not hand its one write lock over in the order of asking.
    async fn patient(url: &str) -> Self {
        let options: SqliteConnectOptions = url.parse().unwrap();
        let patient = options.busy_timeout(Duration::from_mins(2));
        Self::connect_with(patient).await.unwrap()
    }
}

impl Patient for PgPool {
    /// Nobody is turned away while waiting here.
    async fn patient(url: &str) -> Self {
        Self::connect(url).await.unwrap()
    }
}
