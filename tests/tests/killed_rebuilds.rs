//! SIGKILL between any two statements of a rebuild on `SQLite`, with either journal: nothing of it is left, nothing is lost, and
//! the same step then does all of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use cargo_zdm::dialect::Dialect;
use zdm_runtime::database::{Connection, Row, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::{Direction, Step};
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::Case;

const ROWS: u32 = 500;
/// As the executor does it, with so small a cache that the rebuild's pages are written to the disk before it ends.
const BEGIN: &str =
    "PRAGMA cache_size = 1; PRAGMA cache_spill = ON; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE;\n";

const CREATE: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, age INTEGER,
         CONSTRAINT users_age CHECK (age > 0));
     CREATE TABLE doors (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE);
     CREATE VIEW names AS SELECT id, name FROM users;
     CREATE TRIGGER entered AFTER INSERT ON doors BEGIN UPDATE users SET name = name WHERE id = NEW.user_id; END;";

#[tokio::test]
async fn nothing_is_lost_with_a_write_ahead_log() {
    killed_between_any_two_statements("WAL").await;
}

#[tokio::test]
async fn nothing_is_lost_with_a_rollback_journal() {
    killed_between_any_two_statements("DELETE").await;
}

async fn killed_between_any_two_statements(journal: &str) {
    let cases = Case::all();
    let case = cases
        .iter()
        .find(|case| case.name == "drop_column/with_check");
    let migration = case.unwrap().migration(&Dialect::named("sqlite").unwrap());
    let step = rebuild(&migration);
    let folder = tempfile::tempdir().unwrap();
    let origin = folder.path().join("origin.db");
    create(&origin, journal).await;
    let before = state(&origin).await;

    let finished = copy(folder.path(), &origin, "finished");
    expand(&finished, &migration).await;
    let after = state(&finished).await;
    assert_ne!(before, after);

    let statements: Vec<&str> = migration.sql(step).split_inclusive(";\n").collect();
    assert!(statements.len() > 5, "{statements:?}");
    let mut unfinished = 0;
    for done in 1..=statements.len() {
        let file = copy(folder.path(), &origin, &done.to_string());
        let untouched = std::fs::read(&file).unwrap();
        kill_after(
            &url(&file),
            &format!("{BEGIN}{}", statements[..done].concat()),
        );
        let log = std::fs::read(file.with_extension("db-wal")).unwrap_or_default();
        unfinished += u32::from(!log.is_empty() || std::fs::read(&file).unwrap() != untouched);
        assert_eq!(state(&file).await, before, "{done} statements, {journal}");
        expand(&file, &migration).await;
        assert_eq!(state(&file).await, after, "{done} statements, {journal}");
    }
    // What was taken back had reached the disk.
    assert!(unfinished > 2, "{journal}: {unfinished}");
}

/// The step of expand that writes the table anew.
fn rebuild(migration: &Migration) -> &Step {
    let mut steps = migration
        .manifest()
        .steps_of(Section::Expand, Direction::Up);
    steps.find(|step| !step.expects.is_empty()).unwrap()
}

async fn create(file: &Path, journal: &str) {
    let mut connection = Connection::open(&url(file)).await.unwrap();
    let pages = format!(
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = {journal};"
    );
    connection.run_file(&pages).await.unwrap();
    control::install(&mut connection).await.unwrap();
    connection.run_file(CREATE).await.unwrap();
    let rows = format!(
        "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {ROWS})
         INSERT INTO users (name, age) SELECT 'name of ' || id, id FROM n;
         INSERT INTO doors SELECT id, id FROM users WHERE id % 2 = 0;
         DELETE FROM users WHERE id = {ROWS};"
    );
    connection.run_file(&rows).await.unwrap();
    let settled = "PRAGMA wal_checkpoint(TRUNCATE)";
    connection.query(settled, &[]).await.unwrap();
}

fn copy(folder: &Path, origin: &Path, name: &str) -> std::path::PathBuf {
    // A folder each: a connection that is closed late takes no other's log along.
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("app.db");
    std::fs::copy(origin, &file).unwrap();
    file
}

fn kill_after(url: &str, sql: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_statements"))
        .arg(url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(sql.as_bytes())
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert_eq!(said, "executed\n", "{sql}");
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn expand(file: &Path, migration: &Migration) {
    let mut connection = Connection::open(&url(file)).await.unwrap();
    let options = ExecutorOptions::of("test");
    executor::run(
        &mut connection,
        migration,
        Section::Expand,
        Direction::Up,
        &options,
        &mut |_| {},
    )
    .await
    .unwrap();
}

/// Everything that is stored but times: the schema, all rows, the numbering, the record, and that the file is sound.
async fn state(file: &Path) -> Vec<Vec<Row>> {
    let mut connection = Connection::open(&url(file)).await.unwrap();
    let mut state = Vec::new();
    for question in [
        "PRAGMA integrity_check",
        "PRAGMA foreign_key_check",
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
        "SELECT * FROM users ORDER BY id",
        "SELECT * FROM doors ORDER BY id",
        "SELECT * FROM names ORDER BY id",
        "SELECT name, seq FROM sqlite_sequence WHERE name LIKE '%users'",
        "SELECT migration, section, number FROM zdm_step",
    ] {
        state.push(connection.query(question, &[]).await.unwrap());
    }
    state
}

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}
