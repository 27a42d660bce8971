//! A real PostgreSQL server per test: its own data directory, reached through a socket in it, gone with the value.
//!
//! A missing PostgreSQL fails the test with the way to install it; nothing is skipped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use crate::signal::{self, Signal};
use crate::system::{is_root, open_to_all, run, unprivileged};

/// The role that owns every database of a server.
pub(crate) const OWNER: &str = "owner";

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Child,
    directory: TempDir,
    settings: Vec<String>,
}

impl Server {
    /// Starts a fresh server.
    ///
    /// # Panics
    ///
    /// Where PostgreSQL is not installed or does not start, with the reason.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a fresh server with settings such as `max_connections=5`.
    ///
    /// # Panics
    ///
    /// As [`Server::start`].
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_beside(settings, &[])
    }

    /// Starts a fresh server that logs every statement behind its virtual transaction's number, and hands the lines over.
    ///
    /// # Panics
    ///
    /// As [`Server::start`].
    pub fn start_logged() -> (Self, Receiver<String>) {
        let (lines, log) = mpsc::channel();
        let programs = Programs::find();
        let directory = programs.prepared(&[]);
        // A vacuum that comes by has a lock of its own.
        let settings = ["log_statement=all", "log_line_prefix=%v ", "autovacuum=off"];
        let keep = move |line| {
            // A test that has seen enough does not listen any more.
            let _ = lines.send(line);
        };
        (Self::serve(&programs, directory, &settings, keep), log)
    }

    /// Starts a fresh server on a port of loopback that answers with a certificate of its own. The URL of its database demands that
    /// certificate.
    ///
    /// # Panics
    ///
    /// As [`Server::start`].
    pub fn start_encrypted() -> (Self, String) {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]);
        let certified = certified.expect("a certificate for loopback");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("loopback has a free port")
            .port();
        let port = format!("port={port}");
        let settings = [
            "listen_addresses=127.0.0.1",
            &port,
            "ssl=on",
            "ssl_cert_file=../certificate.pem",
            "ssl_key_file=../key.pem",
        ];
        let files = [
            ("certificate.pem", certified.cert.pem()),
            ("key.pem", certified.signing_key.serialize_pem()),
        ];
        let server = Self::start_beside(&settings, &files);
        let certificate = server.directory.path().join("certificate.pem");
        let url = format!(
            "postgres://{OWNER}@127.0.0.1:{}/postgres?sslmode=verify-full&sslrootcert={}",
            port.trim_start_matches("port="),
            certificate.display()
        );
        (server, url)
    }

    /// With files beside its data that nobody else may read, but for certificates.
    fn start_beside(settings: &[&str], files: &[(&str, String)]) -> Self {
        let programs = Programs::find();
        let directory = programs.prepared(files);
        Self::serve(&programs, directory, settings, drop)
    }

    /// Starts a replica of this server, which follows it as a stream.
    ///
    /// # Panics
    ///
    /// As [`Server::start`], and where `pg_basebackup` is not beside `postgres`.
    #[must_use = "it ends with the value"]
    pub fn standby(&self) -> Self {
        let programs = Programs::with(&["postgres", "pg_basebackup"]);
        let directory = TempDir::with_prefix("zdm-pg-").expect("a temporary directory");
        open_to_all(directory.path());
        programs.own(directory.path());
        run(programs
            .command("pg_basebackup")
            .args([
                "-U",
                OWNER,
                "-R",
                "-X",
                "stream",
                "--checkpoint=fast",
                "--no-sync",
                "-h",
            ])
            .arg(self.directory.path())
            .arg("-D")
            .arg(directory.path().join("data")));
        Self::serve(&programs, directory, &[], drop)
    }

    fn serve(
        programs: &Programs,
        directory: TempDir,
        settings: &[&str],
        log_to: impl FnMut(String) + Send + 'static,
    ) -> Self {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let process = Self::spawn(programs, directory.path(), &settings, log_to);
        Self {
            process,
            directory,
            settings,
        }
    }

    fn spawn(
        programs: &Programs,
        directory: &Path,
        settings: &[String],
        log_to: impl FnMut(String) + Send + 'static,
    ) -> Child {
        let mut server = programs.command("postgres");
        server.arg("-D").arg(directory.join("data"));
        server.arg("-k").arg(directory);
        let quick = [
            "listen_addresses=",
            "fsync=off",
            "full_page_writes=off",
            "shared_buffers=16MB",
            "max_prepared_transactions=10",
        ];
        for setting in quick.into_iter().chain(settings.iter().map(String::as_str)) {
            server.arg("-c").arg(setting);
        }
        let mut process = server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("postgres was found");
        let log = process.stderr.take().expect("stderr is piped");
        follow(
            BufReader::new(log),
            "ready to accept ",
            "PostgreSQL",
            log_to,
        );
        process
    }

    /// Goes down at once, with what it has not yet written of its log, and comes up again by what it has.
    ///
    /// # Panics
    ///
    /// Where it does not come up.
    pub fn crash(&mut self) {
        self.quit();
        let (programs, directory) = (Programs::find(), self.directory.path());
        self.process = Self::spawn(&programs, directory, &self.settings, drop);
    }

    /// An immediate shutdown: the server ends its own children and gives its shared memory back.
    fn quit(&mut self) {
        signal::send(self.process.id(), Signal::QUIT);
        let _ = self.process.wait();
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Panics
    ///
    /// Where the server refuses.
    pub fn database(&self, name: &str) -> String {
        self.create(name, "")
    }

    /// The same in another encoding than UTF-8.
    ///
    /// # Panics
    ///
    /// Where the server refuses.
    pub fn database_in(&self, encoding: &str, name: &str) -> String {
        self.create(
            name,
            &format!(" ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'"),
        )
    }

    fn create(&self, name: &str, settings: &str) -> String {
        let (url, create) = (self.url(), format!("CREATE DATABASE \"{name}\"{settings}"));
        // A test may be inside a runtime of its own.
        let created = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a thread's runtime")
                .block_on(async {
                    let mut connection = PgConnection::connect(&url).await?;
                    connection.execute(AssertSqlSafe(create)).await
                })
        });
        created
            .join()
            .expect("no panic")
            .expect("the database is created");
        self.url_of(name, OWNER)
    }

    /// The URL of the database that every server has.
    pub fn url(&self) -> String {
        self.url_of("postgres", OWNER)
    }

    /// The URL of a database as one of the server's roles.
    pub fn url_of(&self, database: &str, role: &str) -> String {
        let socket = self.directory.path().display();
        format!("postgres://{role}@localhost/{database}?host={socket}")
    }

    /// The directory that holds its socket.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.quit();
    }
}

/// Where the programs are and as whom they run.
struct Programs {
    folder: PathBuf,
    user: Option<(u32, u32)>,
}

impl Programs {
    fn find() -> Self {
        Self::with(&["initdb", "postgres"])
    }

    /// A folder that has all of these programs.
    fn with(programs: &[&str]) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Another version than the system's.
        let mut folders: Vec<PathBuf> = std::env::var_os("ZDM_POSTGRES")
            .into_iter()
            .map(PathBuf::from)
            .collect();
        folders.extend(std::env::split_paths(&path));
        let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|version| Some(version.ok()?.path().join("bin")))
            .collect();
        debian.sort();
        folders.extend(debian.into_iter().rev());
        let folder = folders
            .into_iter()
            .find(|folder| {
                programs
                    .iter()
                    .all(|program| folder.join(program).is_file())
            })
            .unwrap_or_else(|| {
                panic!(
                    "this test needs PostgreSQL 13 or newer, and {} are neither in PATH nor below /usr/lib/postgresql: \
                     install it (Debian: apt-get install postgresql; macOS: brew install postgresql)",
                    programs.join(", ")
                )
            });
        Self {
            folder,
            user: is_root().then(unprivileged),
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.env("LC_ALL", "C").current_dir("/");
        command
    }

    /// Gives a directory's tree to the user that the server runs as.
    fn own(&self, directory: &Path) {
        if let Some((user, group)) = self.user {
            run(Command::new("chown")
                .arg("-R")
                .arg(format!("{user}:{group}"))
                .arg(directory));
        }
    }

    /// A directory with fresh data, and with files beside it.
    fn prepared(&self, files: &[(&str, String)]) -> TempDir {
        let template = self.template();
        // Not below `target`: a socket's path may have about 100 characters.
        let directory = TempDir::with_prefix("zdm-pg-").expect("a temporary directory");
        open_to_all(directory.path());
        run(Command::new("cp")
            .arg("-a")
            .arg(&template)
            .arg(directory.path().join("data")));
        for (name, text) in files {
            let file = directory.path().join(name);
            let mode = if name.starts_with("key") {
                0o600
            } else {
                0o644
            };
            fs::write(&file, text)
                .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(mode)))
                .expect("our own directory");
        }
        self.own(directory.path());
        directory
    }

    /// An initialised data directory to copy, made once.
    fn template(&self) -> PathBuf {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/postgres");
        fs::create_dir_all(&target).expect("target is writable");
        let lock = File::create(target.join("lock")).expect("target is writable");
        lock.lock().expect("target's file system has locks");
        let version = Command::new(self.folder.join("postgres"))
            .arg("--version")
            .output();
        let version = String::from_utf8_lossy(&version.expect("postgres was found").stdout)
            .replace(|letter: char| !letter.is_ascii_digit(), "_");
        let template = target.join(format!(
            "template_of_{OWNER}{}",
            version.trim_end_matches('_')
        ));
        if !template.exists() {
            let scratch = TempDir::with_prefix("zdm-initdb-").expect("a temporary directory");
            open_to_all(scratch.path());
            self.own(scratch.path());
            let data = scratch.path().join("data");
            run(self
                .command("initdb")
                .args([
                    "--no-sync",
                    "--auth=trust",
                    &format!("--username={OWNER}"),
                    "--encoding=UTF8",
                    "-D",
                ])
                .arg(&data));
            let unfinished = target.join("template.unfinished");
            run(Command::new("rm").arg("-rf").arg(&unfinished));
            run(Command::new("cp").arg("-a").arg(&data).arg(&unfinished));
            fs::rename(&unfinished, &template).expect("a rename within target");
        }
        template
    }
}

/// Reads a server's log until it says that it accepts connections, then leaves the rest to a thread, so that the pipe never fills.
pub(crate) fn wait_until_ready(log: impl BufRead + Send + 'static, words: &str, server: &str) {
    follow(log, words, server, drop);
}

fn follow(
    log: impl BufRead + Send + 'static,
    words: &str,
    server: &str,
    log_to: impl FnMut(String) + Send + 'static,
) {
    let mut lines = log.lines();
    let mut read = Vec::new();
    loop {
        match lines.next() {
            Some(Ok(line)) if line.contains(words) => break,
            Some(Ok(line)) => read.push(line),
            _ => panic!("{server} does not start:\n{}", read.join("\n")),
        }
    }
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(log_to));
}
