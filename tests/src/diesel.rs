//! A pool of diesel-async's for tests that are written for any client's.

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::{Object, PoolError};
use zdm_runtime::diesel_async::Pool;

/// It is made and asked as sqlx's are.
#[derive(Clone)]
pub struct DieselPool(Pool);

impl DieselPool {
    /// Connections that are opened as they are needed.
    #[allow(clippy::unused_async, reason = "sqlx opens one")]
    pub async fn connect(url: &str) -> Result<Self, PoolError> {
        Ok(Self(pool(url)))
    }

    /// A connection.
    pub async fn acquire(&self) -> Result<Object<AsyncPgConnection>, PoolError> {
        self.0.get().await
    }
}

impl From<DieselPool> for zdm_runtime::Pool {
    fn from(pool: DieselPool) -> Self {
        pool.0.into()
    }
}

/// Up to eight connections.
///
/// # Panics
///
/// Never: nothing is opened yet.
pub fn pool(url: &str) -> Pool {
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(url);
    let pool = Pool::builder(manager).max_size(8).build();
    pool.expect("no timeouts, so no runtime is asked for")
}
