//! A `PostgreSQL` server of a test's own: in a temporary folder, on a Unix socket, stopped and removed at the end.
//!
//! Comes in: the installed binaries. Goes out: URLs of empty databases.
//! Must not know: what is tested.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running server.
#[derive(Debug)]
pub struct Server {
    folder: tempfile::TempDir,
    binaries: PathBuf,
    /// Whose process this is: the owner of what it creates.
    uid: u32,
}

impl Server {
    /// Initialises and starts a server. The server's own words are in the panic's message where that fails.
    ///
    /// # Panics
    /// Where no `PostgreSQL` is installed (`tests/run` installs it) or the server does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("zdm-postgres-")
            .tempdir()
            .expect("a temporary folder");
        let uid = folder.path().metadata().expect("the folder").uid();
        let server = Self {
            folder,
            binaries: binaries(),
            uid,
        };
        if server.user().is_some() {
            run(Command::new("chown").arg("postgres").arg(server.path("")));
        }
        let data = server.path("data");
        run(server
            .command("initdb")
            .args([
                "--no-sync",
                "-U",
                "zdm",
                "--auth=trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data));
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off",
            server.path("").display()
        );
        run(server
            .command("pg_ctl")
            .args(["-w", "-o", &options, "-l"])
            .arg(server.path("log"))
            .arg("-D")
            .arg(&data)
            .arg("start"));
        server
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn database(&self, name: &str) -> String {
        let socket = self.path("");
        run(self
            .command("createdb")
            .args(["-U", "zdm", "-h"])
            .arg(&socket)
            .arg(name));
        format!("postgres://zdm@localhost/{name}?host={}", socket.display())
    }

    /// The server refuses to run as root.
    fn user(&self) -> Option<&'static str> {
        (self.uid == 0).then_some("postgres")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.binaries.join(program);
        let mut command = match self.user() {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir(self.folder.path());
        command
    }

    fn path(&self, below: &str) -> PathBuf {
        match below {
            "" => self.folder.path().to_owned(),
            _ => self.folder.path().join(below),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = self
            .command("pg_ctl")
            .args(["-w", "-m", "immediate", "-D"])
            .arg(self.path("data"))
            .arg("stop")
            .output();
        if let Err(error) = stopped {
            eprintln!(
                "the server in {} was not stopped: {error}",
                self.path("").display()
            );
        }
    }
}

/// Debian keeps the server's binaries outside of `PATH`.
fn binaries() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = debian
        .chain(std::env::split_paths(&path))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    found.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    found
        .into_iter()
        .next()
        .expect("PostgreSQL is not installed: run tests/run, which installs it")
}

fn version(binaries: &Path) -> u32 {
    binaries
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str()?.parse().ok())
        .unwrap_or_default()
}

/// Output goes to a file: the server, once started, would keep a pipe open.
fn run(command: &mut Command) {
    let out = tempfile::NamedTempFile::new().expect("a temporary file");
    let status = command
        .stdout(out.reopen().expect("the temporary file"))
        .stderr(out.reopen().expect("the temporary file"))
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = std::fs::read_to_string(out.path()).expect("the temporary file");
    assert!(status.success(), "{command:?}: {said}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Connection as _;

    #[tokio::test]
    async fn databases_are_apart_and_the_server_goes_with_its_guard() {
        let server = Server::start();
        let (one, other) = (server.database("one"), server.database("other"));
        let mut connection = sqlx::PgConnection::connect(&one).await.unwrap();
        sqlx::query("CREATE TABLE here (id int)")
            .execute(&mut connection)
            .await
            .unwrap();
        let mut connection = sqlx::PgConnection::connect(&other).await.unwrap();
        let absent: bool = sqlx::query_scalar("SELECT to_regclass('here') IS NULL")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert!(absent);
        let folder = server.path("");
        drop(server);
        assert!(!folder.exists());
        sqlx::PgConnection::connect(&one).await.unwrap_err();
    }
}
