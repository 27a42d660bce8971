//! What `templates/sqlite/dialect.toml` says of locks, scans and rewrites, against a real file: every step of every case,
//! forward and back.
//!
//! - **Lock**: while the step's transaction is open, another connection can read, and can or cannot begin to write.
//! - **Rewrite**: the log holds every page of the table's rows after the commit.
//! - **Scan**: the program that `SQLite` runs for the step (`EXPLAIN`) goes from row to row of the table, or counts them.
//!   That a `DROP TABLE` visits pages to free them is one instruction and no row: it does not count as a scan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_zdm::dialect::Dialect;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Executor as _, SqliteConnection};
use zdm_runtime::database::{Connection, Row, Value, control};
use zdm_runtime::manifest::{Direction, Step};
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::Case;
use zdm_tests::fill;
use zdm_tests::seed::seed_rows;

/// Small pages, so that few rows fill many.
const PAGE: u32 = 512;
/// How many rows each table has.
const ROWS: i64 = 200;
/// A table of fewer pages would not show that all of them are written.
const LEAST_PAGES: usize = 3;
/// Instructions that go on to another row of a cursor's table, or count its rows.
const SCANS: [&str; 3] = ["Next", "Prev", "Count"];

#[tokio::test]
async fn every_step_locks_scans_and_rewrites_what_it_declares() {
    let dialect = Dialect::named("sqlite").unwrap();
    let mut measured = Measured::default();
    for case in Case::all() {
        if case.is_refused(&dialect) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut file = File::create(folder.path()).await;
        control::install(&mut file.connection).await.unwrap();
        let foundation = case.foundation(&dialect);
        for step in foundation
            .manifest()
            .steps_of(Section::Expand, Direction::Up)
        {
            file.run(foundation.sql(step)).await;
        }
        file.run("BEGIN").await;
        let schema = case.schema("v1.rs");
        seed_rows(&mut file.connection, &schema, &dialect, ROWS).await;
        file.run("COMMIT").await;
        let migration = case.migration(&dialect);
        for section in Section::ALL {
            if section == Section::SwitchReads {
                fill(&mut file.connection, &migration).await;
            }
            for direction in ways(section) {
                for step in migration.manifest().steps_of(section, *direction) {
                    let place =
                        format!("{}: {section:?} {direction:?}: {}", case.name, step.summary);
                    let found = file.measure(migration.sql(step), step, &place).await;
                    measured.add(found);
                }
            }
        }
    }
    assert!(measured.steps > 50, "{measured:?}");
    assert!(
        measured.scans > 10 && measured.rewrites > 10,
        "{measured:?}"
    );
}

/// There, back, and there again: the next section stands on it.
fn ways(section: Section) -> &'static [Direction] {
    match section {
        Section::Drop | Section::DropKept => &[Direction::Up],
        _ => &[Direction::Up, Direction::Down, Direction::Up],
    }
}

/// So that nobody can take a test that finds nothing for one that agrees.
#[derive(Debug, Default)]
struct Measured {
    steps: u32,
    scans: u32,
    rewrites: u32,
}

impl Measured {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.scans += u32::from(step.scans);
        self.rewrites += u32::from(step.rewrites);
    }
}

async fn fill(connection: &mut Connection, migration: &Migration) {
    for backfill in &migration.manifest().backfills {
        let bounds = migration.file(&backfill.bounds);
        let range = connection.query_file(bounds, &[]).await.unwrap().remove(0);
        fill::batch(connection, migration, backfill, &range).await;
    }
}

/// A database file and two that are connected to it.
struct File {
    path: PathBuf,
    connection: Connection,
    other: SqliteConnection,
}

impl File {
    async fn create(folder: &Path) -> Self {
        let path = folder.join("app.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .page_size(PAGE)
            .journal_mode(SqliteJournalMode::Wal)
            // Whoever cannot have the lock is told at once.
            .busy_timeout(std::time::Duration::ZERO);
        let other = options.connect().await.unwrap();
        let url = format!("sqlite://{}", path.display());
        let mut connection = Connection::open(&url).await.unwrap();
        connection
            .run_file("PRAGMA wal_autocheckpoint = 0")
            .await
            .unwrap();
        Self {
            path,
            connection,
            other,
        }
    }

    /// Runs a step and compares it with what it declares.
    async fn measure<'a>(&mut self, sql: &str, step: &'a Step, place: &str) -> &'a Step {
        let table = step.table.as_str();
        let existed = self.pages(table).await;
        let mut rows = 0;
        if !existed.is_empty() {
            self.store_anew(table).await;
            rows = self.rows_for_others(table, place).await;
        }
        // As the executor does: a table that is rebuilt is gone for a moment.
        if step.rewrites {
            self.run("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON")
                .await;
        }
        let emptied = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_file(emptied, &[]).await.unwrap();

        self.run("BEGIN").await;
        let mut scans = false;
        for statement in statements(sql) {
            scans |= self.goes_through(table, &statement).await;
            self.run(&statement).await;
        }
        assert_eq!(
            self.lets_others_write().await,
            step.lock != "write lock",
            "{place}: lock"
        );
        assert_eq!(
            step.blocks_writers,
            step.lock == "write lock",
            "{place}: lock"
        );
        if !existed.is_empty() {
            assert_eq!(
                self.rows_for_others(table, place).await,
                rows,
                "{place}: readers"
            );
        }
        self.run("COMMIT").await;

        // What the migration itself has made is empty: a rebuild of it goes through no row and writes no page of rows.
        if rows > 0 || !step.rewrites {
            let written = self.written_pages();
            let pages = self.pages(table).await;
            let rewrites = !existed.is_empty() && !pages.is_empty() && pages.is_subset(&written);
            assert!(
                !rewrites || pages.len() >= LEAST_PAGES,
                "{place}: {pages:?}"
            );
            scans &= rows > 0;
            assert_eq!(scans, step.scans, "{place}: scan");
            assert_eq!(
                rewrites, step.rewrites,
                "{place}: rewrite; {pages:?} of {written:?}"
            );
        }
        self.run("PRAGMA foreign_keys = ON; PRAGMA legacy_alter_table = OFF")
            .await;
        step
    }

    /// Every row as a writer of today stores it: with the columns that were added since. What a statement would write byte
    /// for byte as it stands, `SQLite` does not write.
    async fn store_anew(&mut self, table: &str) {
        let first = "SELECT name FROM pragma_table_info($1) ORDER BY cid LIMIT 1";
        let names = self
            .connection
            .query_file(first, &[table.into()])
            .await
            .unwrap();
        let [Value::Text(Some(column))] = &names[0][..] else {
            panic!("{names:?}");
        };
        self.run(&format!(
            "UPDATE \"{table}\" SET \"{column}\" = \"{column}\""
        ))
        .await;
    }

    async fn run(&mut self, sql: &str) {
        let done = self.connection.run_file(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Whether the statement's program goes from row to row of the table.
    async fn goes_through(&mut self, table: &str, statement: &str) -> bool {
        let root = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = $1";
        let roots = self
            .connection
            .query_file(root, &[table.into()])
            .await
            .unwrap();
        let Some([root]) = roots.first().map(Vec::as_slice) else {
            return false;
        };
        let explain = format!("EXPLAIN {statement}");
        let program = self.connection.query_file(&explain, &[]).await;
        let program = program.unwrap_or_else(|error| panic!("{explain}: {error}"));
        let cursors: Vec<&Value> = program
            .iter()
            .filter(|row| matches!(opcode(row), "OpenRead" | "OpenWrite") && row[3] == *root)
            .map(|row| &row[2])
            .collect();
        program
            .iter()
            .any(|row| SCANS.contains(&opcode(row)) && cursors.contains(&&row[2]))
    }

    async fn lets_others_write(&mut self) -> bool {
        match self.other.execute("BEGIN IMMEDIATE").await {
            Ok(_) => {
                self.other.execute("ROLLBACK").await.unwrap();
                true
            }
            Err(error) => {
                assert!(error.to_string().contains("locked"), "{error}");
                false
            }
        }
    }

    async fn rows_for_others(&mut self, table: &str, place: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut self.other)
            .await;
        rows.unwrap_or_else(|error| panic!("{place}: a reader: {error}"))
    }

    /// The pages that hold the table's rows.
    async fn pages(&mut self, table: &str) -> BTreeSet<i64> {
        let sql = "SELECT pageno FROM dbstat WHERE name = $1 AND pagetype = 'leaf'";
        let rows = self
            .connection
            .query_file(sql, &[table.into()])
            .await
            .unwrap();
        rows.iter()
            .map(|row| match row[..] {
                [Value::Int(Some(page))] => page,
                _ => panic!("{row:?}"),
            })
            .collect()
    }

    /// The pages in the log (manual, "Database File Format", "The Write-Ahead Log": a header of 32 bytes, then frames, each a
    /// header of 24 that begins with the page's number, and the page).
    fn written_pages(&self) -> BTreeSet<i64> {
        let log = std::fs::read(self.path.with_extension("db-wal")).unwrap();
        let frames = log.get(32..).unwrap_or_default();
        frames
            .chunks_exact(24 + PAGE as usize)
            .map(|frame| i64::from(u32::from_be_bytes(frame[..4].try_into().unwrap())))
            .collect()
    }
}

fn opcode(row: &Row) -> &str {
    match &row[1] {
        Value::Text(Some(opcode)) => opcode,
        other => panic!("{other:?} is no instruction"),
    }
}

/// One after the other: a later one can only be explained when the earlier ones are done. A trigger's own end at its END.
fn statements(sql: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for part in sql.split_inclusive(";\n") {
        let is_open = |text: &String| text.contains("CREATE TRIGGER") && !text.ends_with("END;\n");
        match statements.last_mut().filter(|last| is_open(last)) {
            Some(last) => last.push_str(part),
            None => statements.push(part.to_owned()),
        }
    }
    statements.retain(|text| {
        let mut lines = text.lines();
        lines.any(|line| !line.trim().is_empty() && !line.starts_with("--"))
    });
    statements
}
