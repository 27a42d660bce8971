//! `SQLite`: a reader from before keeps every page that a command writes in the log, in its order. What the command leaves
//! when it is killed is a prefix of that log beside the untouched file, so each prefix is put there.

use std::path::{Path, PathBuf};

use zdm_runtime::database::{Connection, Value};

use crate::again::again_and_again;
use crate::enumerate::{Moment, Site, run, said, travel};
use crate::wal;
use crate::way::{Act, FROM_SHADOW, Step, TO_SHADOW};

#[tokio::test]
async fn every_commit_up_to_shadow_on_sqlite() {
    killed_on_sqlite(&[], TO_SHADOW).await;
}

#[tokio::test]
async fn every_commit_from_shadow_on_sqlite() {
    killed_on_sqlite(TO_SHADOW, FROM_SHADOW).await;
}

#[tokio::test]
async fn advance_is_killed_again_and_again_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    again_and_again(&mut Files::below(folder.path()).await).await;
}

async fn killed_on_sqlite(before: &[Step], enumerated: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    travel(&mut Files::below(folder.path()).await, before, enumerated).await;
}

/// One folder per copy of the database, named by its number. No name is used twice: a connection that is closed late would
/// remove the log of whatever stands there by then.
struct Files {
    folder: PathBuf,
    /// Where the way stands.
    place: u32,
    /// Where the last command leads.
    next: u32,
    /// The last copy.
    last: u32,
    /// What the last command wrote.
    log: Vec<u8>,
}

impl Files {
    async fn below(folder: &Path) -> Self {
        let files = Self {
            folder: folder.to_owned(),
            place: 0,
            next: 0,
            last: 0,
            log: Vec::new(),
        };
        std::fs::create_dir(files.at(0)).unwrap();
        settle(&files.url()).await;
        files
    }

    fn at(&self, number: u32) -> PathBuf {
        self.folder.join(number.to_string())
    }

    /// Copies the database to a folder, with a log.
    fn copy(&mut self, log: &[u8]) -> PathBuf {
        self.last += 1;
        let folder = self.at(self.last);
        std::fs::create_dir(&folder).unwrap();
        let from = file(&self.at(self.place));
        std::fs::copy(from, file(&folder)).unwrap();
        if !log.is_empty() {
            std::fs::write(log_of(&folder), log).unwrap();
        }
        folder
    }
}

impl Site for Files {
    fn url(&self) -> String {
        url(&self.at(self.place))
    }

    async fn passed(&mut self, act: &Act) -> (String, Vec<Moment>) {
        settle(&self.url()).await;
        let folder = self.copy(&[]);
        let url = url(&folder);
        self.next = self.last;
        let before = std::fs::read(file(&folder)).unwrap();
        let mut reader = Connection::open(&url).await.unwrap();
        reader.run_file("BEGIN").await.unwrap();
        let tables = "SELECT count(*) FROM sqlite_schema";
        reader.query(tables, &[]).await.unwrap();
        let output = run(&url, act);
        assert!(output.status.success(), "{}", said(&output));
        self.log = std::fs::read(log_of(&folder)).unwrap();
        let after = std::fs::read(file(&folder)).unwrap();
        assert!(before == after, "the log does not hold everything");
        reader.rollback().await.unwrap();
        (url, wal::moments(&self.log))
    }

    async fn killed(&mut self, _: &Act, moment: &Moment) -> String {
        let log = self.log[..moment.at].to_vec();
        url(&self.copy(&log))
    }

    async fn killed_at_the_next_entry(&mut self, act: &Act) -> bool {
        let before = entries(&self.url()).await;
        let (passed, moments) = self.passed(act).await;
        for moment in moments.iter().filter(|moment| !moment.inside) {
            let url = self.killed(act, moment).await;
            if entries(&url).await > before {
                self.next = self.last;
                self.go_on().await;
                return true;
            }
            self.forget(&url).await;
        }
        assert_eq!(entries(&passed).await, before);
        self.go_on().await;
        false
    }

    async fn forget(&mut self, _: &str) {
        std::fs::remove_dir_all(self.at(self.last)).unwrap();
    }

    async fn go_on(&mut self) {
        self.place = self.next;
    }
}

async fn entries(url: &str) -> i64 {
    let mut connection = Connection::open(url).await.unwrap();
    let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'zdm_audit'";
    if connection.query(there, &[]).await.unwrap() == [[Value::from(0)]] {
        return 0;
    }
    let entries = connection
        .query("SELECT count(*) FROM zdm_audit", &[])
        .await;
    match entries.unwrap()[0][..] {
        [Value::Int(Some(entries))] => entries,
        ref other => panic!("{other:?}"),
    }
}

/// Everything into the file, in the mode that commands open it in.
async fn settle(url: &str) {
    let mut connection = Connection::open(url).await.unwrap();
    let moved = "PRAGMA wal_checkpoint(TRUNCATE)";
    connection.query(moved, &[]).await.unwrap();
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}", file(folder).display())
}

fn file(folder: &Path) -> PathBuf {
    folder.join("app.db")
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("app.db-wal")
}
