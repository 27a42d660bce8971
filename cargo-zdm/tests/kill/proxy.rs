//! Between a command and `PostgreSQL`: passes everything on, writes down every round trip, and kills the command before
//! one of them reaches the server.
//!
//! The command has sent the statement and waits for its answer, so the moment is exact. A kill after the server executed a
//! statement and before the answer arrived leaves what a kill before the next statement leaves: the one is enumerated with
//! the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

/// The name of a server's socket in its directory.
const SOCKET: &str = ".s.PGSQL.5432";

/// What went over the wire up to a moment when the command waits for an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trip {
    /// The SQL.
    pub(crate) sql: String,
    /// A transaction of the command was open before, on whichever connection.
    pub(crate) inside: bool,
    /// What the server said that it did: `INSERT 0 1`, `COMMIT` …
    pub(crate) did: Vec<String>,
}

/// How a command passed through.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) trips: Vec<Trip>,
    pub(crate) output: Output,
}

/// A socket that stands for the server's.
#[derive(Debug)]
pub(crate) struct Proxy {
    directory: tempfile::TempDir,
    server: PathBuf,
}

struct Watch {
    trips: Mutex<Vec<Trip>>,
    /// Connections with an open transaction.
    open: AtomicUsize,
    kill_before: KillBefore,
    reached: Notify,
}

/// One of the command's connections: a backfill has several.
#[derive(Default)]
struct Wire {
    /// Its last trip, by its number among all.
    trip: AtomicUsize,
    /// A transaction is open.
    open: AtomicBool,
}

/// Whether a command is killed before it makes a trip; told those that it has made, and whether a transaction is open.
pub(crate) type KillBefore = Box<dyn Fn(&[Trip], bool) -> bool + Send + Sync>;

impl Proxy {
    /// In front of the server whose socket is in that directory.
    pub(crate) fn to(server: &Path) -> Self {
        Self {
            directory: tempfile::TempDir::with_prefix("zdm-proxy-").unwrap(),
            server: server.join(SOCKET),
        }
    }

    /// The directory to connect to.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a command to its end, or until it is about to make the trip that it must not make.
    pub(crate) async fn pass(&self, mut command: Command, kill_before: KillBefore) -> Passage {
        let socket = self.directory.path().join(SOCKET);
        let listener = UnixListener::bind(&socket).unwrap();
        let watch = Arc::new(Watch {
            trips: Mutex::default(),
            open: AtomicUsize::new(0),
            kill_before,
            reached: Notify::new(),
        });
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let pid = child.id().unwrap();
        let mut connections = tokio::task::JoinSet::new();
        let mut end = std::pin::pin!(child.wait_with_output());
        let output = loop {
            tokio::select! {
                ended = &mut end => break ended.unwrap(),
                accepted = listener.accept() => {
                    let (client, _) = accepted.unwrap();
                    let server = UnixStream::connect(&self.server).await.unwrap();
                    connections.spawn(connection(client, server, Arc::clone(&watch)));
                }
                () = watch.reached.notified() => {
                    zdm_tests::signal::send(pid, zdm_tests::signal::Signal::KILL);
                }
            }
        };
        connections.shutdown().await;
        std::fs::remove_file(socket).unwrap();
        let trips = watch.trips.lock().unwrap().clone();
        Passage { trips, output }
    }
}

/// Until one of the two ends it.
async fn connection(client: UnixStream, server: UnixStream, watch: Arc<Watch>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let wire = Wire::default();
    tokio::select! {
        _ = questions(from_client, to_server, &watch, &wire) => {}
        _ = answers(from_server, to_client, &watch, &wire) => {}
    }
    watch.is_open(&wire, false);
}

/// From the command to the server, a trip at a time.
async fn questions(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    watch: &Watch,
    wire: &Wire,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut trip = Trip::default();
    let mut prepared = HashMap::new();
    // The first message alone has no kind (manual, "Message Formats": StartupMessage).
    let length = client.read_u32().await?;
    bytes.extend(length.to_be_bytes());
    body(&mut client, length, &mut bytes).await?;
    loop {
        watch.sent(wire, std::mem::take(&mut trip)).await;
        server.write_all(&bytes).await?;
        bytes.clear();
        loop {
            let (kind, text) = message(&mut client, &mut bytes).await?;
            match kind {
                b'Q' => trip.sql = word(&text, 0),
                // Parse: a statement's name and text. Bind: a portal's name and a statement's.
                b'P' => {
                    trip.sql = word(&text, 1);
                    prepared.insert(word(&text, 0), trip.sql.clone());
                }
                b'B' => trip.sql = prepared[&word(&text, 1)].clone(),
                _ => {}
            }
            // Query, Sync and Terminate: nothing more comes before the answer.
            if let b'Q' | b'S' | b'X' = kind {
                break;
            }
        }
    }
}

/// One of the words at the beginning of a message, each of which ends with a zero.
fn word(text: &[u8], number: usize) -> String {
    let word = text.split(|byte| *byte == 0).nth(number);
    String::from_utf8_lossy(word.unwrap_or_default()).into_owned()
}

/// From the server to the command.
async fn answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    watch: &Watch,
    wire: &Wire,
) -> std::io::Result<()> {
    let (mut bytes, mut did) = (Vec::new(), Vec::new());
    loop {
        let (kind, text) = message(&mut server, &mut bytes).await?;
        match kind {
            b'C' => did.push(
                String::from_utf8_lossy(&text)
                    .trim_end_matches('\0')
                    .to_owned(),
            ),
            // ReadyForQuery: idle, in a transaction, in a failed one.
            b'Z' => watch.done(wire, &mut did, text != b"I"),
            _ => {}
        }
        client.write_all(&bytes).await?;
        bytes.clear();
    }
}

/// Reads one message to the end of `bytes`; its kind and content.
async fn message(
    from: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> std::io::Result<(u8, Vec<u8>)> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    bytes.push(kind);
    bytes.extend(length.to_be_bytes());
    let start = bytes.len();
    body(from, length, bytes).await?;
    Ok((kind, bytes[start..].to_vec()))
}

/// A length counts itself.
async fn body(
    from: &mut (impl AsyncRead + Unpin),
    length: u32,
    bytes: &mut Vec<u8>,
) -> std::io::Result<()> {
    let start = bytes.len();
    bytes.resize(start + length as usize - 4, 0);
    from.read_exact(&mut bytes[start..]).await?;
    Ok(())
}

impl Watch {
    /// Never returns for the trip that must not happen.
    async fn sent(&self, wire: &Wire, mut trip: Trip) {
        let ends = {
            let mut trips = self.trips.lock().unwrap();
            trip.inside = self.open.load(Ordering::Relaxed) > 0;
            let ends = (self.kill_before)(&trips, trip.inside);
            wire.trip.store(trips.len(), Ordering::Relaxed);
            trips.push(trip);
            ends
        };
        if ends {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// What was done and whether that ended a transaction come into effect together: a trip of another connection in between would be
    /// taken for one inside of a transaction that is committed.
    fn done(&self, wire: &Wire, did: &mut Vec<String>, open: bool) {
        let mut trips = self.trips.lock().unwrap();
        if let Some(trip) = trips.get_mut(wire.trip.load(Ordering::Relaxed)) {
            trip.did.append(did);
        }
        self.is_open(wire, open);
    }

    fn is_open(&self, wire: &Wire, open: bool) {
        match (wire.open.swap(open, Ordering::Relaxed), open) {
            (false, true) => self.open.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.open.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
    }
}
