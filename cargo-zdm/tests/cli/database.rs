//! A project on each kind of database, with the two versions of [`versions`](crate::versions) in it.

use zdm_runtime::database::{Connection, Value};
use zdm_tests::postgres::Server;

use crate::project::Project;
use crate::versions;

/// A team that waits for nothing.
pub(crate) const HASTY: &str = "soak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"";

/// Runs a test on `SQLite`.
pub(crate) fn on_sqlite(policy: &str, test: impl FnOnce(&Project)) {
    let project = Project::sqlite(policy);
    versions::write(&project.path("zdm"), "sqlite");
    test(&project);
}

/// Runs a test on `PostgreSQL`.
pub(crate) fn on_postgres(policy: &str, test: impl FnOnce(&Project)) {
    let server = Server::start();
    let project = Project::on(server.database("app"), policy);
    versions::write(&project.path("zdm"), "postgres");
    test(&project);
}

impl Project {
    /// Runs SQL as the application would.
    pub(crate) fn execute(&self, sql: &str) {
        self.connected(async |connection| connection.run_file(sql).await.unwrap());
    }

    /// Does something while a transaction that has run this SQL is open.
    pub(crate) fn beside<T>(&self, sql: &str, work: impl FnOnce() -> T) -> T {
        self.connected(async |connection| {
            connection.begin().await.unwrap();
            connection.query(sql, &[]).await.unwrap();
            let done = work();
            connection.rollback().await.unwrap();
            done
        })
    }

    /// Runs SQL that the database has to refuse, in these words.
    pub(crate) fn refuses(&self, sql: &str, words: &str) {
        let error = self.connected(async |connection| connection.run_file(sql).await.unwrap_err());
        let told = error.to_string();
        let found = told.to_lowercase().contains(&words.to_lowercase());
        assert!(found, "`{words}` is missing: {told}");
    }

    /// The first value of a query, as text or number.
    pub(crate) fn value(&self, sql: &str) -> String {
        let rows = self.connected(async |connection| connection.query(sql, &[]).await.unwrap());
        match rows.first().and_then(|row| row.first()) {
            Some(Value::Int(Some(value))) => value.to_string(),
            Some(Value::Text(Some(value))) => value.clone(),
            Some(_) => "NULL".to_owned(),
            None => "no row".to_owned(),
        }
    }

    /// Works on a connection of its own.
    pub(crate) fn connected<T>(&self, work: impl AsyncFnOnce(&mut Connection) -> T) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(async {
                let mut connection = Connection::open(&self.url).await.unwrap();
                work(&mut connection).await
            })
    }

    /// The stage that `status` tells of a migration.
    pub(crate) fn stage(&self, migration: &str) -> String {
        let status = self
            .done(&["status", migration, "--format", "json"])
            .object();
        status["migrations"][0]["stage"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Three rows from before.
    pub(crate) fn fill(&self) {
        self.execute("INSERT INTO users (id, name) VALUES (1, 'ada'), (2, 'grace'), (3, NULL)");
    }
}
