//! A real PgBouncer per test in front of a [`Server`], in transaction mode: few sessions at the server, lent in turn, so that a
//! client's next transaction is in another one.
//!
//! A missing PgBouncer fails the test with the way to install it; `tests/run` leaves these tests out where it cannot be installed, and
//! says so. `ZDM_PGBOUNCER` names another one than the system's.

use std::fmt::Write as _;
use std::fs;
use std::io::BufReader;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tempfile::TempDir;

use crate::postgres::{OWNER, Server, wait_until_ready};
use crate::signal::{self, Signal};
use crate::system::{is_root, open_to_all, run, unprivileged};

/// So many sessions at the server for all clients of a database.
const SESSIONS: u32 = 4;
/// From this version on it follows prepared statements.
const FOLLOWS: (u32, u32) = (1, 21);

/// A running pooler.
#[derive(Debug)]
pub struct PgBouncer {
    process: Child,
    directory: TempDir,
    version: (u32, u32),
}

impl PgBouncer {
    /// Starts one in front of a server, with the defaults that a team has which has only chosen the mode.
    ///
    /// # Panics
    ///
    /// Where PgBouncer is not installed or does not start, with the reason.
    #[must_use = "it ends with the value"]
    pub fn before(server: &Server) -> Self {
        let program = find();
        let version = version(&program);
        let directory = TempDir::with_prefix("zdm-pb-").expect("a temporary directory");
        let folder = directory.path().display();
        let mut settings = format!(
            "[databases]\n* = host={}\n\n[pgbouncer]\npool_mode = transaction\nlisten_addr =\nlisten_port = 5432\n\
             unix_socket_dir = {folder}\nauth_type = trust\nauth_file = {folder}/users\nadmin_users = {OWNER}\n\
             default_pool_size = {SESSIONS}\nserver_round_robin = 1\nmax_client_conn = 200\n",
            server.directory().display()
        );
        if version >= FOLLOWS {
            let _ = writeln!(settings, "max_prepared_statements = 200");
        }
        let file = directory.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("our own directory");
        fs::write(
            directory.path().join("users"),
            format!("\"{OWNER}\" \"\"\n"),
        )
        .expect("our own directory");
        open_to_all(directory.path());
        let mut pooler = Command::new(&program);
        if is_root() {
            let (user, group) = unprivileged();
            run(Command::new("chown")
                .arg("-R")
                .arg(format!("{user}:{group}"))
                .arg(directory.path()));
            pooler.uid(user).gid(group);
        }
        let mut process = pooler
            .arg(&file)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pgbouncer was found");
        let log = process.stderr.take().expect("stderr is piped");
        wait_until_ready(BufReader::new(log), "process up", "PgBouncer");
        Self {
            process,
            directory,
            version,
        }
    }

    /// Whether a statement that was prepared in one session is found in all.
    pub fn follows_statements(&self) -> bool {
        self.version >= FOLLOWS
    }

    /// The URL of a database of the server, through the pooler.
    pub fn url(&self, database: &str) -> String {
        let socket = self.directory.path().display();
        format!("postgres://{OWNER}@localhost/{database}?host={socket}")
    }

    /// A pool as an application has it: without the parameter that sqlx sends by itself and PgBouncer refuses.
    ///
    /// # Panics
    ///
    /// Where it cannot connect; so does all that follows.
    pub async fn pool(&self, database: &str) -> PgPool {
        PgPoolOptions::new()
            .max_connections(10)
            .connect_with(options(&self.url(database)))
            .await
            .unwrap()
    }

    /// Has every session at the server replaced by a fresh one, without the statements that were prepared in it.
    ///
    /// # Panics
    ///
    /// Where the pooler refuses.
    pub async fn reconnect(&self) {
        let mut console = options(&self.url("pgbouncer")).connect().await.unwrap();
        console.execute(sqlx::raw_sql("RECONNECT")).await.unwrap();
    }

    /// The first value of a query, in each session that the pooler may have at the server. Afterwards all of them are open, so that
    /// no client is given the same one twice running.
    ///
    /// # Panics
    ///
    /// Where the query fails.
    pub async fn in_each_session(&self, database: &str, query: &str) -> Vec<String> {
        let query = format!("BEGIN; {query}");
        let (mut held, mut found) = (Vec::new(), Vec::new());
        for _ in 0..SESSIONS {
            let mut client = options(&self.url(database)).connect().await.unwrap();
            let query = sqlx::raw_sql(AssertSqlSafe(query.clone()));
            let row = query.fetch_one(&mut client).await.unwrap();
            found.push(row.get(0));
            held.push(client);
        }
        for mut client in held {
            client.execute("ROLLBACK").await.unwrap();
            client.close().await.unwrap();
        }
        found
    }
}

/// How an application connects.
fn options(url: &str) -> PgConnectOptions {
    PgConnectOptions::from_str(url)
        .unwrap()
        .extra_float_digits(None)
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        signal::send(self.process.id(), Signal::QUIT);
        let _ = self.process.wait();
    }
}

fn find() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os("ZDM_PGBOUNCER").map(PathBuf::from);
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    named
        .into_iter()
        .chain(folders.map(|folder| folder.join("pgbouncer")))
        .find(|program| program.is_file())
        .unwrap_or_else(|| {
            panic!(
                "this test needs PgBouncer, and pgbouncer is neither in PATH nor in /usr/sbin: install it (Debian: apt-get install \
                 pgbouncer; macOS: brew install pgbouncer), or name it with ZDM_PGBOUNCER"
            )
        })
}

/// `PgBouncer 1.18.0`
fn version(program: &PathBuf) -> (u32, u32) {
    let output = Command::new(program).arg("--version").output();
    let text = String::from_utf8(output.expect("pgbouncer was found").stdout).unwrap_or_default();
    let mut numbers = text
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .split('.')
        .map_while(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor),
        _ => panic!("`{}` says of its version: {text}", program.display()),
    }
}
