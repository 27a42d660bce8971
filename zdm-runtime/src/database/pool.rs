//! The application's pool, whatever its kind.

#[cfg(feature = "operate")]
use super::Connection;
use super::control_connection::sealed::Control;
use super::{DatabaseError, Dialect, Row, Value};
use crate::Error;

/// A pool that [`Zdm::connect`](crate::Zdm::connect) takes its connections from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Pool {
    /// Of `PostgreSQL` connections.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    /// Of `SQLite` connections.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
}

#[cfg(feature = "postgres")]
impl From<sqlx::PgPool> for Pool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self::Postgres(pool)
    }
}

#[cfg(feature = "sqlite")]
impl From<sqlx::SqlitePool> for Pool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

impl Pool {
    pub(crate) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Lent::Postgres(pool.acquire().await?),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => Lent::Sqlite(pool.acquire().await?),
        })
    }
}

#[cfg(feature = "operate")]
impl Pool {
    /// A connection beside those of the pool, to the same database.
    pub(crate) async fn open(&self) -> Result<Connection, DatabaseError> {
        #[cfg(feature = "sqlite")]
        use sqlx::ConnectOptions as _;
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                super::postgres::open_by((*pool.connect_options()).clone()).await
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => {
                let opened = pool.connect_options().connect().await;
                opened
                    .map(Connection::Sqlite)
                    .map_err(super::sqlite::classify)
            }
        }
    }

    /// Where it leads to.
    pub(crate) fn url(&self) -> String {
        use sqlx::ConnectOptions as _;
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.connect_options().to_url_lossy(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => pool.connect_options().to_url_lossy(),
        }
        .to_string()
    }
}

impl Pool {
    /// Fails where the pool's statements would get lost in a pooler.
    // Without PostgreSQL there is nobody to ask.
    #[cfg_attr(not(feature = "postgres"), allow(clippy::unused_async))]
    pub(crate) async fn keeps_statements(&self, lent: &mut Lent) -> Result<(), Error> {
        match (self, lent) {
            #[cfg(feature = "postgres")]
            (Self::Postgres(pool), Lent::Postgres(connection)) => {
                super::pooler::keeps_statements(pool, connection).await
            }
            #[cfg(feature = "sqlite")]
            _ => Ok(()),
        }
    }
}

/// A connection that goes back to its pool when it is dropped.
#[derive(Debug)]
pub(crate) enum Lent {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::pool::PoolConnection<sqlx::Postgres>),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
}

impl Control for Lent {
    fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    async fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.change(sql, values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.change(sql, values).await,
        }
    }

    async fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.rows(sql, values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.rows(sql, values).await,
        }
    }
}
