//! The application's pool, whatever its kind.

#[cfg(feature = "diesel-async")]
use diesel_async::AsyncPgConnection;

#[cfg(feature = "operate")]
use super::Connection;
use super::control_connection::sealed::Control;
use super::{DatabaseError, Dialect, Row, Value};
use crate::Error;

/// A pool that [`Zdm::connect`](crate::Zdm::connect) takes its connections from.
#[derive(Clone)]
#[non_exhaustive]
pub enum Pool {
    /// Of `PostgreSQL` connections.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    /// Of `SQLite` connections.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    /// Of diesel-async's connections to `PostgreSQL`, in a pool of deadpool's.
    #[cfg(feature = "diesel-async")]
    Diesel(DieselPool),
}

/// diesel-async's pool of `PostgreSQL` connections, of the kind that deadpool makes.
#[cfg(feature = "diesel-async")]
pub type DieselPool = diesel_async::pooled_connection::deadpool::Pool<AsyncPgConnection>;

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.fmt(f),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => pool.fmt(f),
            #[cfg(feature = "diesel-async")]
            Self::Diesel(pool) => pool.status().fmt(f),
        }
    }
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

#[cfg(feature = "diesel-async")]
impl From<DieselPool> for Pool {
    fn from(pool: DieselPool) -> Self {
        Self::Diesel(pool)
    }
}

impl Pool {
    pub(crate) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Lent::Postgres(pool.acquire().await?),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => Lent::Sqlite(pool.acquire().await?),
            #[cfg(feature = "diesel-async")]
            Self::Diesel(pool) => Lent::Diesel(Box::new(pool.get().await.map_err(unlent)?)),
        })
    }
}

/// What hinders a pool of deadpool's from lending a connection.
#[cfg(feature = "diesel-async")]
fn unlent(error: diesel_async::pooled_connection::deadpool::PoolError) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other(error))
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
            #[cfg(feature = "diesel-async")]
            Self::Diesel(_) => Err(DatabaseError::Other(sqlx::Error::Configuration(
                "a pool of diesel-async does not say where it leads to: give a `sqlx::PgPool` to whatever works beside the application"
                    .into(),
            ))),
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
            #[cfg(feature = "diesel-async")]
            Self::Diesel(_) => return String::new(),
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
            #[cfg(feature = "diesel-async")]
            (Self::Diesel(pool), Lent::Diesel(connection)) => {
                crate::diesel_async::keeps_statements(pool, connection).await
            }
            #[cfg(any(feature = "sqlite", feature = "diesel-async"))]
            _ => Ok(()),
        }
    }
}

/// A connection that goes back to its pool when it is dropped.
pub(crate) enum Lent {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::pool::PoolConnection<sqlx::Postgres>),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
    #[cfg(feature = "diesel-async")]
    Diesel(Box<diesel_async::pooled_connection::deadpool::Object<AsyncPgConnection>>),
}

impl Control for Lent {
    fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "diesel-async")]
            Self::Diesel(_) => Dialect::Postgres,
        }
    }

    async fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.change(sql, values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.change(sql, values).await,
            #[cfg(feature = "diesel-async")]
            Self::Diesel(connection) => (***connection).change(sql, values).await,
        }
    }

    async fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.rows(sql, values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.rows(sql, values).await,
            #[cfg(feature = "diesel-async")]
            Self::Diesel(connection) => (***connection).rows(sql, values).await,
        }
    }
}
