//! The database of one test: made for it, and taken away when it ends, whatever came of it.
//!
//! Comes in: the dialect; for `PostgreSQL` a server, which the environment names. Goes out: a URL.
//! Must not know: what is done in it.

use std::env;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::PathBuf;

use super::TestError;
use crate::database::{Connection, Dialect};
use crate::losses::quoted;

/// The variables that may name a server, the first one before the other.
const VARIABLES: [&str; 2] = ["ZDM_TEST_DATABASE_URL", "DATABASE_URL"];

/// A database.
#[derive(Debug)]
pub(super) struct Scratch {
    url: String,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Folder(PathBuf),
    Database { server: String, name: String },
}

impl Scratch {
    /// An empty one.
    pub(super) async fn create(dialect: Dialect) -> Result<Self, TestError> {
        let random = RandomState::new().build_hasher().finish();
        let name = format!("zdm_test_{}_{:08x}", std::process::id(), random >> 32);
        match dialect {
            Dialect::Sqlite => {
                let folder = env::temp_dir().join(name);
                std::fs::create_dir(&folder).map_err(TestError::Runtime)?;
                Ok(Self {
                    url: format!("sqlite://{}", folder.join("test.db").display()),
                    held: Held::Folder(folder),
                })
            }
            Dialect::Postgres => {
                let server = server()?;
                let mut connection = Connection::open(&server).await?;
                let create = format!("CREATE DATABASE {}", quoted(&name));
                connection.run_file(&create).await?;
                Ok(Self {
                    url: on_server(&server, &name),
                    held: Held::Database { server, name },
                })
            }
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Takes it away.
    pub(super) async fn end(self) -> Result<(), TestError> {
        match self.held {
            Held::Folder(folder) => std::fs::remove_dir_all(folder).map_err(TestError::Runtime),
            Held::Database { server, name } => {
                let mut connection = Connection::open(&server).await?;
                let drop = format!("DROP DATABASE {} WITH (FORCE)", quoted(&name));
                Ok(connection.run_file(&drop).await?)
            }
        }
    }
}

/// What the environment names. A test that cannot run does not pass.
fn server() -> Result<String, TestError> {
    let named = VARIABLES.iter().find_map(|name| env::var(name).ok());
    let is_server = |url: &String| Dialect::of_url(url) == Some(Dialect::Postgres);
    named.filter(is_server).ok_or_else(|| {
        TestError::Unprepared(
            "the migration is one of PostgreSQL, and no server is named to test it on. Set ZDM_TEST_DATABASE_URL \
             (or DATABASE_URL), for example\n\n    \
             ZDM_TEST_DATABASE_URL=postgres://postgres@localhost/postgres cargo test\n\n\
             The test creates a database of its own there and drops it again, for which the role needs CREATEDB; the one \
             that the URL names is not touched. Where there is no server, leave these tests out: `cargo test -- --skip zdm::`"
                .to_owned(),
        )
    })
}

/// The same server, with another database.
fn on_server(url: &str, database: &str) -> String {
    let (place, settings) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = place.split_once("://").unwrap_or(("postgres", place));
    let server = rest.split_once('/').map_or(rest, |(server, _)| server);
    let settings: Vec<_> = settings
        .split('&')
        .filter(|setting| !setting.is_empty() && !setting.starts_with("dbname="))
        .collect();
    let settings = if settings.is_empty() {
        String::new()
    } else {
        format!("?{}", settings.join("&"))
    };
    format!("{scheme}://{server}/{database}{settings}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_is_on_the_same_server() {
        for (url, other) in [
            (
                "postgres://me:secret@localhost:5433/app?sslmode=disable",
                "postgres://me:secret@localhost:5433/t?sslmode=disable",
            ),
            ("postgresql://localhost", "postgresql://localhost/t"),
            (
                "postgres:///app?host=/run/pg&dbname=app",
                "postgres:///t?host=/run/pg",
            ),
        ] {
            assert_eq!(on_server(url, "t"), other);
        }
    }
}
