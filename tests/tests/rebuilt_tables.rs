//! `SQLite` rebuilds a table for changes that it cannot make in place: what else names the table goes on, and what a rebuild
//! would lose stops it.

use cargo_zdm::dialect::Dialect;
use cargo_zdm::render::sql::Rendered;
use zdm_runtime::database::{Connection, Row, control};
use zdm_runtime::executor::{self, ExecutorError, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::{Case, load};

/// A database with the tables `users (id, visits)` made by `create`, and the migration that rebuilds it.
struct Rebuilt {
    connection: Connection,
    migration: Migration,
    version: Rendered,
    _folder: tempfile::TempDir,
}

impl Rebuilt {
    async fn of(create: &str) -> Self {
        Self::by("change_default/visits", create).await
    }

    /// The same with the migration of another case.
    async fn by(case: &str, create: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("app.db").display());
        let mut connection = Connection::open(&url).await.unwrap();
        control::install(&mut connection).await.unwrap();
        connection.run_file(create).await.unwrap();
        let found = Case::all()
            .into_iter()
            .find(|found| found.name == case)
            .unwrap();
        let version = found.rendered(&Dialect::named("sqlite").unwrap());
        Self {
            connection,
            migration: load(&version),
            version,
            _folder: folder,
        }
    }

    /// The same with another expectation.
    fn expect(&mut self, sql: &str) {
        for step in &mut self.version.manifest.steps {
            step.expects = vec![sql.to_owned()];
        }
        self.migration = load(&self.version);
    }

    async fn schema(&mut self) -> Vec<Row> {
        self.connection
            .query("SELECT name, sql FROM sqlite_schema", &[])
            .await
            .unwrap()
    }

    async fn expand(&mut self) -> Result<(), ExecutorError> {
        self.run(Section::Expand).await
    }

    async fn run(&mut self, section: Section) -> Result<(), ExecutorError> {
        executor::run(
            &mut self.connection,
            &self.migration,
            section,
            Direction::Up,
            &ExecutorOptions::of("test"),
            &mut |_| {},
        )
        .await
        .map(|_| ())
    }
}

/// A view, or a trigger of another table, that names the table refused its renaming: `error in view latest: no such table:
/// main.users`.
#[tokio::test]
async fn views_and_triggers_that_name_the_table_go_on() {
    let mut rebuilt = Rebuilt::of(
        "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, visits INTEGER NOT NULL DEFAULT 0);
         CREATE TABLE doors (id INTEGER PRIMARY KEY);
         CREATE VIEW latest AS SELECT max(id) AS id FROM users;
         CREATE TRIGGER entered AFTER INSERT ON doors BEGIN INSERT INTO users (id) VALUES (NEW.id); END;",
    )
    .await;
    rebuilt.expand().await.unwrap();
    let connection = &mut rebuilt.connection;
    connection
        .run_file("INSERT INTO doors (id) VALUES (7)")
        .await
        .unwrap();
    let rows = connection
        .query(
            "SELECT latest.id, visits FROM latest JOIN users USING (id)",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows, [[7.into(), 1.into()]]);
    let legacy = connection
        .query("PRAGMA legacy_alter_table", &[])
        .await
        .unwrap();
    assert_eq!(legacy, [[0.into()]]);
}

#[tokio::test]
async fn what_a_rebuild_would_lose_stops_it() {
    for (create, lost) in [
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL, twice INTEGER AS (visits * 2))",
            "the column twice",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL) WITHOUT ROWID",
            "WITHOUT ROWID",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL) STRICT",
            "STRICT",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL UNIQUE)",
            "UNIQUE (visits)",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL COLLATE NOCASE)",
            "collate nocase of visits",
        ),
        (
            "CREATE TABLE \"Users\" (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL, Check\n( visits < 9 ))",
            "check ( visits < 9 )",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL ON CONFLICT REPLACE)",
            "on conflict replace of visits",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL DEFAULT 7)",
            "DEFAULT 7 of visits",
        ),
        (
            "CREATE TABLE users (id INTEGER, visits INTEGER NOT NULL, PRIMARY KEY (id, visits))",
            "the primary key, which differs in visits",
        ),
        (
            "CREATE TABLE doors (id INTEGER PRIMARY KEY);
             CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL REFERENCES doors ON UPDATE CASCADE)",
            "the reference visits to doors(id) ON UPDATE CASCADE",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL);
             CREATE INDEX often ON users (visits DESC)",
            "the index often",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL);
             CREATE INDEX rare ON users (id) WHERE visits = 'a /* b'",
            "the index rare",
        ),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, visits INTEGER NOT NULL);
             CREATE TRIGGER seen AFTER UPDATE ON users BEGIN SELECT 1; END",
            "the trigger seen",
        ),
    ] {
        let mut rebuilt = Rebuilt::of(create).await;
        let before = rebuilt.schema().await;
        let stopped = rebuilt.expand().await.unwrap_err().to_string();
        assert!(
            stopped.contains("would lose") && stopped.contains(lost),
            "{lost}: {stopped}"
        );
        assert_eq!(rebuilt.schema().await, before, "{lost}");
    }
}

/// What is described is expected once, where it stands and as it is.
#[tokio::test]
async fn what_was_put_in_the_place_of_something_described_stops_a_rebuild() {
    const TABLE: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, age INTEGER";
    for (rest, lost) in [
        (
            ", CONSTRAINT users_age CHECK (age > 1))",
            "check ( age > 1 )",
        ),
        (
            ", CONSTRAINT users_age CHECK (age > 0), CONSTRAINT again CHECK (age > 0))",
            "check ( age > 0 )",
        ),
    ] {
        let mut rebuilt = Rebuilt::by("drop_column/with_check", &format!("{TABLE}{rest}")).await;
        let stopped = rebuilt.expand().await.unwrap_err();
        assert!(
            matches!(&stopped, ExecutorError::Undescribed { lost: found, .. } if *found == [lost]),
            "{stopped}"
        );
    }
    let known = format!("{TABLE}, check(AGE>0))");
    let mut rebuilt = Rebuilt::by("drop_column/with_check", &known).await;
    rebuilt.expand().await.unwrap();
}

/// Nothing is rebuilt on a guess.
#[tokio::test]
async fn a_rebuild_whose_expectation_cannot_be_read_is_not_executed() {
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, visits INTEGER NOT NULL DEFAULT 0)";
    for expects in [
        "CREATE TABLE users (id INTEGER,",
        "CREATE TABLE others (id INTEGER)",
    ] {
        let mut rebuilt = Rebuilt::of(table).await;
        rebuilt.expect(expects);
        let before = rebuilt.schema().await;
        rebuilt.expand().await.unwrap_err();
        assert_eq!(rebuilt.schema().await, before, "{expects}");
    }
}

/// What differs in its spelling alone is no loss.
#[tokio::test]
async fn a_table_from_before_is_rebuilt_however_it_is_spelled() {
    let mut rebuilt = Rebuilt::of(
        "create table [Users] (`id` integer primary key, -- the number\n visits int not null default (0))",
    )
    .await;
    rebuilt.expand().await.unwrap();
}

/// Dropped in place, and by a rebuild: both left a view and a trigger behind that failed at the application's next statement.
#[tokio::test]
async fn what_names_a_column_keeps_it_from_being_dropped() {
    const DOORS: &str = "CREATE TABLE doors (id INTEGER PRIMARY KEY);";
    for (case, users, column) in [
        (
            "drop_column/nullable",
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, nick TEXT);",
            "nick",
        ),
        (
            "drop_column/with_check",
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, age INTEGER,
             CONSTRAINT users_age CHECK (age > 0));",
            "age",
        ),
    ] {
        for (dependent, name) in [
            (format!("CREATE VIEW latest AS SELECT {column} FROM users"), "latest"),
            (
                format!(
                    "CREATE TRIGGER entered AFTER INSERT ON doors BEGIN UPDATE users SET {column} = 1; END"
                ),
                "entered",
            ),
            (
                format!(
                    "CREATE TRIGGER entered AFTER INSERT ON doors BEGIN DELETE FROM users WHERE {column} = 1; END"
                ),
                "entered",
            ),
        ] {
            let create = format!("{DOORS}{users}{dependent}");
            let mut rebuilt = Rebuilt::by(case, &create).await;
            let (mut before, mut stopped) = (Vec::new(), None);
            for section in Section::ALL {
                if stopped.is_none() {
                    before = rebuilt.schema().await;
                    stopped = rebuilt.run(section).await.err();
                }
            }
            let stopped = stopped.expect(&dependent);
            assert!(
                matches!(stopped, ExecutorError::Dependents { .. }),
                "{case}, {dependent}: {stopped}"
            );
            let words = stopped.to_string();
            assert!(
                words.contains(name) && words.contains(column),
                "{dependent}: {words}"
            );
            assert_eq!(rebuilt.schema().await, before, "{case}, {dependent}");
        }
    }
}
