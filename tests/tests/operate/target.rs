//! An empty database of a test's own, with control tables in it.

use zdm_runtime::database::{Connection, Dialect, Value, control};
use zdm_tests::postgres::Server;

/// A database and what keeps it there.
pub(crate) struct Target {
    pub(crate) dialect: Dialect,
    pub(crate) url: String,
    folder: tempfile::TempDir,
    server: Option<Server>,
}

impl Target {
    pub(crate) async fn of(dialect: Dialect) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, url) = match dialect {
            Dialect::Postgres => {
                let server = Server::start();
                let url = server.database("target");
                (Some(server), url)
            }
            Dialect::Sqlite => {
                let file = folder.path().join("target.db");
                (None, format!("sqlite://{}", file.display()))
            }
        };
        let target = Self {
            dialect,
            url,
            folder,
            server,
        };
        control::install(&mut target.open().await).await.unwrap();
        target
    }

    pub(crate) async fn open(&self) -> Connection {
        Connection::open(&self.url).await.unwrap()
    }

    /// A replica of its server.
    pub(crate) fn standby(&self) -> Server {
        self.server.as_ref().unwrap().standby()
    }

    /// A path below the test's own folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

/// The answer to a question with one number as its answer.
pub(crate) async fn number(connection: &mut Connection, sql: &str) -> i64 {
    match connection.query(sql, &[]).await.unwrap()[0][0] {
        Value::Int(Some(number)) => number,
        ref other => panic!("{sql}: {other:?}"),
    }
}

/// The answer to a question with one text as its answer.
pub(crate) async fn text(connection: &mut Connection, sql: &str) -> Option<String> {
    match connection.query(sql, &[]).await.unwrap()[0][0].clone() {
        Value::Text(text) => text,
        other @ Value::Int(_) => panic!("{sql}: {other:?}"),
    }
}
