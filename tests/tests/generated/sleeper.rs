//! An application's process (`programs/sleeper.rs`) that is stopped (SIGSTOP) and continued later: in the middle of a
//! transaction across a hop, beyond its lease while the migration goes to its end, and until old is dropped. Nothing it
//! writes is lost or goes to the wrong side.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use zdm_runtime::database::{Connection, Dialect, Value};
use zdm_runtime::gates::Policy;
use zdm_runtime::hop::{self, HopError, Moved, Target};
use zdm_runtime::manifest::{Backfill, FORMAT, Manifest, Route};
use zdm_runtime::operator::Lease;
use zdm_runtime::{Stage, history};
use zdm_tests::signal::Signal;

use crate::live::{MIGRATION, postgres, prepare, sqlite};

#[tokio::test]
async fn sqlite_survives_a_stopped_process() {
    let (_folder, url) = sqlite();
    stopped_and_continued(&url).await;
}

#[tokio::test]
async fn postgres_survives_a_stopped_process() {
    let (_server, url) = postgres();
    stopped_and_continued(&url).await;
}

async fn stopped_and_continued(url: &str) {
    let mut operator = Operator::of(url).await;
    let mut sleeper = Sleeper::start(url);

    // In the middle of a transaction, across a hop.
    sleeper.told("BEGIN", "BEGIN");
    sleeper.told("write inside", "written true");
    sleeper.signal(Signal::STOP);
    let waits = operator.advance(Target::stage(Stage::DualWrite)).await;
    let waits = waits.unwrap_err();
    match operator.connection.dialect() {
        Dialect::Postgres => {
            let HopError::NotDrained { older, .. } = &waits else {
                panic!("{waits}");
            };
            let pid = older[0].pid.expect("a backend");
            assert!(waits.to_string().contains(&format!("pid {pid}")), "{waits}");
        }
        Dialect::Sqlite => assert!(waits.to_string().contains("locked"), "{waits}"),
    }
    sleeper.signal(Signal::CONT);
    sleeper.told("COMMIT", "COMMIT");
    assert_eq!(operator.text("SELECT name FROM users").await, "inside");
    operator
        .advance(Target::stage(Stage::DualWrite))
        .await
        .unwrap();
    sleeper.told("write both", "written true");
    assert_eq!(
        operator
            .text("SELECT name || ' ' || full_name FROM users")
            .await,
        "both both"
    );

    // Between two transactions and beyond its lease, until writes have left old.
    sleeper.signal(Signal::STOP);
    operator
        .run("UPDATE {zdm}instance SET lease_until = 0")
        .await;
    operator.go_to_complete().await;
    sleeper.signal(Signal::CONT);
    sleeper.told("write late", "written true");
    assert_eq!(
        operator
            .text("SELECT name || ' ' || full_name FROM users")
            .await,
        "both late"
    );

    // Until old is dropped.
    sleeper.signal(Signal::STOP);
    operator.run("ALTER TABLE users DROP COLUMN name").await;
    history::contracted(&mut operator.connection, MIGRATION)
        .await
        .unwrap();
    sleeper.signal(Signal::CONT);
    let refused = sleeper.answer("write never");
    assert!(
        refused.contains("refused") && refused.contains("cargo zdm finalize"),
        "{refused}"
    );
    assert_eq!(operator.text("SELECT full_name FROM users").await, "late");
}

/// The process, killed with the value.
struct Sleeper {
    process: Child,
    commands: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Sleeper {
    fn start(url: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sleeper"))
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut sleeper = Self {
            commands: process.stdin.take().unwrap(),
            said: BufReader::new(process.stdout.take().unwrap()).lines(),
            process,
        };
        assert_eq!(sleeper.hear(), "ready");
        sleeper
    }

    fn told(&mut self, command: &str, expected: &str) {
        assert_eq!(self.answer(command), expected);
    }

    fn answer(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").unwrap();
        self.hear()
    }

    fn hear(&mut self) -> String {
        self.said.next().expect("it lives").unwrap()
    }

    fn signal(&self, signal: Signal) {
        zdm_tests::signal::send(self.process.id(), signal);
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Moves the migration as the command line does; backfill and verification are entered in the ledger.
struct Operator {
    connection: Connection,
    lease: Lease,
}

impl Operator {
    async fn of(url: &str) -> Self {
        let mut connection = Connection::open(url).await.unwrap();
        prepare(&mut connection).await;
        let row = "INSERT INTO users (id, name) VALUES (1, 'before')";
        connection.execute(row, &[]).await.unwrap();
        let lease = Lease::acquire(&mut connection, MIGRATION, "test")
            .await
            .unwrap();
        Self { connection, lease }
    }

    async fn advance(&mut self, target: Target) -> Result<Moved, HopError> {
        let policy = Policy {
            soak: Duration::ZERO,
            sleepers: Duration::ZERO,
            verify_again: false,
            ..Policy::default()
        };
        let patience = Duration::from_millis(300);
        let manifest = manifest();
        hop::advance(
            &mut self.connection,
            &self.lease,
            &manifest,
            target,
            &policy,
            patience,
        )
        .await
    }

    async fn go_to_complete(&mut self) {
        self.run(
            "INSERT INTO {zdm}chunk (migration, table_name, direction, lo, hi, state, lease_epoch, lease_until, rows_seen, \
             rows_changed, batches, attempts) SELECT migration, 'users', 'up', '[]', '[]', 'done', 0, 0, 0, 0, 0, 0 FROM {zdm}stage",
        )
        .await;
        self.run(
            "INSERT INTO {zdm}verification (migration, epoch, side, state, rows_seen, mismatches, skipped, started_at, \
             finished_at) SELECT migration, epoch, 'new', 'passed', 0, 0, 0, {now}, {now} FROM {zdm}stage",
        )
        .await;
        for target in [
            Target::stage(Stage::Shadow),
            Target::live(10_000).unwrap(),
            Target::stage(Stage::RampDown),
            Target::stage(Stage::Complete),
        ] {
            self.advance(target).await.unwrap();
        }
    }

    async fn run(&mut self, sql: &str) {
        self.connection.execute(sql, &[]).await.unwrap();
    }

    async fn text(&mut self, sql: &str) -> String {
        match self.connection.query(sql, &[]).await.unwrap()[0][..] {
            [Value::Text(Some(ref text))] => text.clone(),
            ref other => panic!("{other:?}"),
        }
    }
}

fn manifest() -> Manifest {
    Manifest {
        format: FORMAT,
        id: MIGRATION.to_owned(),
        version: 2,
        name: "names_and_ages".to_owned(),
        parent: None,
        after: Vec::new(),
        needed_by: Vec::new(),
        for_good: Vec::new(),
        dialect: String::new(),
        route: Route::FivePhases,
        reversible: true,
        tables: ["people", "tasks", "users"].map(str::to_owned).into(),
        reasons: Vec::new(),
        changes: Vec::new(),
        transitions: String::new(),
        steps: Vec::new(),
        pairs: Vec::new(),
        creates: BTreeMap::new(),
        drops: BTreeMap::new(),
        retyped: BTreeMap::new(),
        described: BTreeMap::new(),
        merged: Vec::new(),
        moved: Vec::new(),
        renames: BTreeMap::new(),
        renamed_keys: BTreeMap::new(),
        exchanged_keys: BTreeMap::new(),
        refers: BTreeMap::new(),
        refers_to: BTreeMap::new(),
        unkeyed: BTreeMap::new(),
        acts: BTreeMap::new(),
        nets: BTreeMap::new(),
        keep: None,
        no_keep: false,
        exchanges: Vec::new(),
        enums: Vec::new(),
        backfills: vec![Backfill {
            table: "users".to_owned(),
            key: vec!["id".to_owned()],
            columns: vec!["full_name".to_owned()],
            bounds: String::new(),
            boundary: String::new(),
            count: String::new(),
            batch: String::new(),
            reverse: None,
            verify: String::new(),
            mismatches: String::new(),
            checksums: None,
            invalid: None,
            computed: None,
            address: None,
            on_invalid: "total".to_owned(),
            optional: Vec::new(),
        }],
        files: BTreeMap::new(),
    }
}
