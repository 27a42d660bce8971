//! `SQLite`: a reader from before keeps every page that a command writes in the log, in its order. What the command leaves
//! when it is killed is a prefix of that log beside the untouched file, so each prefix is put there.

use std::path::{Path, PathBuf};

use zdm_runtime::database::Connection;

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

async fn killed_on_sqlite(before: &[Step], enumerated: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Files {
        folder: folder.path().to_owned(),
        place: 0,
        log: Vec::new(),
    };
    std::fs::create_dir(files.at("0")).unwrap();
    settle(&files.url()).await;
    travel(&mut files, before, enumerated).await;
}

/// One folder per place of the way, named by its number, and one for the copy in hand.
struct Files {
    folder: PathBuf,
    place: u32,
    /// What the last command wrote.
    log: Vec<u8>,
}

impl Files {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Copies the database to a folder, with a log.
    fn copy(&self, name: &str, log: &[u8]) -> String {
        let folder = self.at(name);
        std::fs::create_dir(&folder).unwrap();
        let from = file(&self.at(&self.place.to_string()));
        std::fs::copy(from, file(&folder)).unwrap();
        if !log.is_empty() {
            std::fs::write(log_of(&folder), log).unwrap();
        }
        url(&folder)
    }
}

impl Site for Files {
    fn url(&self) -> String {
        url(&self.at(&self.place.to_string()))
    }

    async fn passed(&mut self, act: &Act) -> (String, Vec<Moment>) {
        settle(&self.url()).await;
        let next = (self.place + 1).to_string();
        let url = self.copy(&next, &[]);
        let folder = self.at(&next);
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
        self.copy("copy", &self.log[..moment.at])
    }

    async fn forget(&mut self, _: &str) {
        std::fs::remove_dir_all(self.at("copy")).unwrap();
    }

    async fn go_on(&mut self) {
        self.place += 1;
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
