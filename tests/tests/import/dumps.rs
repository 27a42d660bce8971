//! A dump is read, without a server, as the database that it was made of.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use cargo_zdm::catalogue::dump::{self, DumpError};
use cargo_zdm::catalogue::{Catalogue, Table};
use cargo_zdm::import;
use zdm_model::names::schema_of;
use zdm_runtime::database::{Connection, Dialect, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_tests::cases::{Case, schemas_of};
use zdm_tests::postgres::Server;
use zdm_tests::project::{catalogue, execute};

use crate::everything_postgres::{EVERYTHING, TYPES};
use crate::everything_sqlite;

async fn read(text: &str, dialect: Dialect) -> Catalogue {
    read_of(text, dialect, None).await
}

async fn read_of(text: &str, dialect: Dialect, schemas: Option<&str>) -> Catalogue {
    let read = dump::read(text, "dump.sql", dialect, schemas).await;
    read.unwrap_or_else(|error| panic!("{error}"))
}

/// `pg_dump --schema-only` of a database.
pub(crate) fn dumped(url: &str) -> String {
    let output = Command::new("pg_dump")
        .args(["--schema-only", "--dbname", url])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Table by table, so that a difference can be read.
fn assert_same(dump: &Catalogue, database: &Catalogue, of: &str) {
    assert_eq!(dump.schema, database.schema, "{of}");
    assert_eq!(dump.others, database.others, "{of}");
    assert_eq!(dump.enums, database.enums, "{of}");
    let names = |catalogue: &Catalogue| -> Vec<String> {
        let tables = catalogue.tables.iter();
        tables.map(|table| table.name.clone()).collect()
    };
    assert_eq!(names(dump), names(database), "{of}");
    for (left, right) in dump.tables.iter().zip(&database.tables) {
        same_table(left, right, of);
    }
}

fn same_table(left: &Table, right: &Table, of: &str) {
    let name = &left.name;
    for (left, right) in left.columns.iter().zip(&right.columns) {
        assert_eq!(left, right, "{of}: {name}");
    }
    assert_eq!(left.indexes, right.indexes, "{of}: {name}");
    assert_eq!(left, right, "{of}: {name}");
}

#[tokio::test]
async fn a_dump_of_every_kind_is_read_as_its_database_is() {
    let server = Server::start();
    let url = server.database("app");
    execute(&url, TYPES).await;
    execute(&url, EVERYTHING).await;
    execute(&url, RARE).await;
    let dump = read(&dumped(&url), Dialect::Postgres).await;
    assert_same(&dump, &catalogue(&url).await, "everything");
}

/// What a dump spells otherwise than a catalogue, or in a place of its own.
const RARE: &str = r#"
CREATE TYPE other.state AS ENUM ('on');
CREATE TYPE nothing AS ENUM ();
CREATE COLLATION "by Number" (provider = icu, locale = 'en-u-kn-true');
CREATE FUNCTION near(a int, b int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT abs(a - b) < 2';
CREATE OPERATOR === (FUNCTION = near, LEFTARG = int, RIGHTARG = int, COMMUTATOR = ===);
CREATE FUNCTION backwards(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT b - a';
CREATE OPERATOR CLASS backwards FOR TYPE int USING btree AS
    OPERATOR 1 > (int, int), OPERATOR 2 >= (int, int), OPERATOR 3 =, OPERATOR 4 <= (int, int), OPERATOR 5 < (int, int),
    FUNCTION 1 backwards(int, int);
CREATE TABLE "order" (
    id serial PRIMARY KEY, "Number" serial, counted integer NOT NULL, other_state other.state DEFAULT 'on', state mood[] DEFAULT '{well}',
    place point, near integer CONSTRAINT order_near CHECK (near === 3), words tsvector, name varchar(20) COLLATE "by Number",
    doubled numeric(12, 2) GENERATED ALWAYS AS (counted * 2) STORED, reference text REFERENCES no_primary (code) ON DELETE SET DEFAULT,
    CONSTRAINT order_places EXCLUDE USING gist (place WITH ~=, box(place, place) WITH &&) WITH (fillfactor = 90) WHERE (near > 3),
    CONSTRAINT order_number UNIQUE ("Number") WITH (fillfactor = 80)
);
CREATE SEQUENCE order_counted OWNED BY "order".counted;
ALTER TABLE "order" ALTER counted SET DEFAULT nextval('order_counted') + 1;
ALTER SEQUENCE "order_Number_seq" RENAME TO "Order Numbers";
CREATE TABLE orders_more () INHERITS ("order");
CREATE INDEX order_words ON "order" USING gist (words tsvector_ops (siglen = 32));
CREATE INDEX order_backwards ON "order" (near backwards DESC, "Number" NULLS FIRST) INCLUDE (name) WITH (fillfactor = 50, deduplicate_items = off);
CREATE INDEX order_collated ON "order" (name COLLATE "C" text_pattern_ops, lower(name) COLLATE "by Number", (near === counted));
COMMENT ON TABLE "order" IS '';
COMMENT ON TABLE no_primary IS 'it''s; -- none';
COMMENT ON COLUMN "order"."Number" IS E'a\\b';
COMMENT ON COLUMN other.things.id IS 'of another schema';
COMMENT ON CONSTRAINT order_near ON "order" IS 'near';
COMMENT ON VIEW grown_ups IS 'a view';
"#;

#[tokio::test]
async fn the_dump_of_every_golden_case_is_read_as_its_database_is() {
    let server = Server::start();
    let words = cargo_zdm::dialect::Dialect::named("postgres").unwrap();
    let mut count = 0;
    for case in Case::all() {
        if case.is_refused(&words) || case.plan(&words).is_err() {
            continue;
        }
        let url = server.database(&format!("case{count}"));
        let mut connection = Connection::open(&url).await.unwrap();
        control::install(&mut connection).await.unwrap();
        let schemas = schemas_of(&case.schema("v2.rs"));
        connection.run_file(&schemas).await.unwrap();
        executor::run(
            &mut connection,
            &case.target(&words),
            Section::Expand,
            Direction::Up,
            &ExecutorOptions::of("test"),
            &mut |_| {},
        )
        .await
        .unwrap();
        let after = case.schema("v2.rs");
        let named: BTreeSet<&str> = after
            .tables
            .iter()
            .filter_map(|table| schema_of(&table.name))
            .collect();
        let all: Vec<&str> = ["public"].into_iter().chain(named).collect();
        let all = Some(all.join(",")).filter(|all| all != "public");
        let dump = read_of(&dumped(&url), Dialect::Postgres, all.as_deref()).await;
        assert_same(&dump, &catalogue(&url).await, &case.name);
        count += 1;
    }
    assert!(count > 20, "{count} cases");
}

/// Names that nobody gave are those that the server gives; expressions are compared elsewhere.
#[tokio::test]
async fn what_is_written_by_hand_has_the_names_that_the_server_gives() {
    let text = format!("{TYPES}{EVERYTHING}{BY_HAND}");
    let server = Server::start();
    let url = server.database("app");
    execute(&url, &text).await;
    let unspelled = |mut catalogue: Catalogue| {
        for table in &mut catalogue.tables {
            for column in &mut table.columns {
                column.default = column.default.take().map(|_| String::new());
                column.generated = column.generated.take().map(|_| String::new());
            }
            for index in &mut table.indexes {
                index.predicate = index.predicate.take().map(|_| String::new());
                let parts = index.parts.iter_mut();
                parts
                    .filter(|part| part.column.is_none())
                    .for_each(|part| part.element = None);
            }
            for check in &mut table.checks {
                check.expr.clear();
            }
        }
        catalogue
    };
    let dump = unspelled(read(&text, Dialect::Postgres).await);
    let mut database = unspelled(catalogue(&url).await);
    // `DEFAULT NULL` is kept where the column's type is none of the server's own.
    database.others.retain(|other| other.what != "extension");
    assert_same(&dump, &database, "by hand");
}

const BY_HAND: &str = r#"
SET search_path TO public;
BEGIN;
CREATE TABLE IF NOT EXISTS a_table_with_a_very_long_name_indeed (
    id bigserial PRIMARY KEY, and_a_column_with_a_long_name_too varchar UNIQUE CHECK (length(and_a_column_with_a_long_name_too) > 1),
    a int4 CHECK (a > 0) CHECK (a < 10), b decimal(10, 2) DEFAULT 0 NOT NULL, c timestamptz(3), d time, e char, f float8[], g int ARRAY,
    h timestamp(2) without time zone, i bit varying(3), j interval(3), k interval day to hour, l "char",
    UNIQUE (a, b), CHECK (a > b), CHECK (true), FOREIGN KEY (id) REFERENCES a_table_with_a_very_long_name_indeed
);
ALTER TABLE a_table_with_a_very_long_name_indeed ADD COLUMN late int NOT NULL DEFAULT 1 REFERENCES teams, ALTER a SET NOT NULL;
CREATE INDEX ON a_table_with_a_very_long_name_indeed (a, lower(and_a_column_with_a_long_name_too));
CREATE INDEX ON a_table_with_a_very_long_name_indeed USING gin (f) WITH (fastupdate = off);
INSERT INTO teams (name) VALUES ('; CREATE TABLE no (id int);');
COMMIT;
"#;

#[tokio::test]
async fn a_sqlite_schema_is_read_as_its_database_is() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());
    execute(&url, everything_sqlite::EVERYTHING).await;
    let text = format!(
        "PRAGMA foreign_keys = OFF;\nBEGIN TRANSACTION;\n{}\nINSERT INTO log VALUES ('a;b');\nCOMMIT;\n",
        everything_sqlite::EVERYTHING
    );
    let dump = read(&text, Dialect::Sqlite).await;
    assert_same(&dump, &catalogue(&url).await, "everything");
}

#[tokio::test]
async fn what_is_not_understood_is_named_with_its_place() {
    let table = "CREATE TABLE t (id int PRIMARY KEY);\n";
    for (dialect, statement, reason) in [
        (
            Dialect::Postgres,
            "DO $$ BEGIN DROP TABLE t; END $$",
            "a block of code",
        ),
        (Dialect::Postgres, "DROP TABLE t", "dropped"),
        (Dialect::Postgres, "SELECT make_tables()", "a query"),
        (
            Dialect::Postgres,
            "ALTER TABLE t DROP COLUMN id",
            "not followed",
        ),
        (
            Dialect::Postgres,
            "ALTER TABLE t ALTER id TYPE bigint",
            "not followed",
        ),
        (
            Dialect::Postgres,
            "ALTER TABLE u ADD b int",
            "creates the table u",
        ),
        (
            Dialect::Postgres,
            "CREATE INDEX i ON u (id)",
            "creates the table u",
        ),
        (
            Dialect::Postgres,
            "CREATE TABLE u (id mood)",
            "the type mood",
        ),
        (Dialect::Postgres, "CREATE TABLE u (LIKE t)", "LIKE"),
        (
            Dialect::Postgres,
            "CREATE TABLE u (id int SPARSE)",
            "not understood",
        ),
        (
            Dialect::Postgres,
            "CREATE TABLE u (id int) SOMEHOW",
            "SOMEHOW",
        ),
        (
            Dialect::Postgres,
            "CREATE INDEX i ON t (id) SOMEHOW",
            "SOMEHOW",
        ),
        (Dialect::Postgres, "CREATE ENTIRELY new", "not understood"),
        (Dialect::Postgres, "\\connect other", "psql"),
        (Dialect::Postgres, "CREATE TABLE u (id int", "parentheses"),
        (Dialect::Sqlite, "ATTACH 'other.db' AS other", "not read"),
        (Dialect::Sqlite, "VACUUM INTO 'other.db'", "not read"),
        (Dialect::Sqlite, "CREATE TABLE t (id int)", "already exists"),
    ] {
        let text = format!("-- a file\n{table}\n{statement};\n{table}");
        let refused = dump::read(&text, "old.sql", dialect, None).await;
        let Err(DumpError::Statement { .. }) = &refused else {
            panic!("{statement}: {refused:?}");
        };
        let message = refused.unwrap_err().to_string();
        assert!(message.starts_with("old.sql:4: "), "{statement}: {message}");
        assert!(message.contains(reason), "{statement}: {message}");
        let first = statement.lines().next().unwrap();
        assert!(
            message.ends_with(first) || message.contains(first),
            "{message}"
        );
    }
}

#[tokio::test]
async fn of_several_schemas_one_is_named() {
    let text = "CREATE TABLE a.t (id int);\nCREATE TABLE b.t (id int, more int);\n";
    let refused = dump::read(text, "old.sql", Dialect::Postgres, None).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("the schemas a, b"), "{message}");
    let read = dump::read(text, "old.sql", Dialect::Postgres, Some("b"))
        .await
        .unwrap();
    assert_eq!(read.tables[0].columns.len(), 2);
    assert_eq!(read.others[0].object, "a with 1 table");
}

/// Beside another schema, a table that is the same there means what it means alone: a type of that name may be another one.
#[tokio::test]
async fn two_schemas_are_each_what_they_are_alone() {
    let users = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
    let posts =
        "CREATE TABLE posts (id bigint PRIMARY KEY, author bigint REFERENCES users (id));\n";
    let felt = "CREATE TABLE felt (id bigint PRIMARY KEY, mood mood NOT NULL);\n";
    let mood = "CREATE TYPE mood AS ENUM ('happy', 'sad');\n";
    let schemas = [
        [users, posts, mood, felt].concat(),
        [&users.replace("name text", "name varchar(80)"), posts].concat(),
        ["CREATE DOMAIN mood AS text;\n", felt, users].concat(),
        [&mood.replace("sad", "glad"), felt].concat(),
    ];
    let words = cargo_zdm::dialect::Dialect::named("postgres").unwrap();
    for one in &schemas {
        for other in &schemas {
            let (one, other) = (
                read(one, Dialect::Postgres).await,
                read(other, Dialect::Postgres).await,
            );
            let alone = [&one, &other].map(|found| import::of(found, &words, None));
            assert_eq!(import::of_both([&one, &other], &words), alone);
        }
    }
}

#[tokio::test]
#[ignore = "needs real schemas: ZDM_REAL_SCHEMAS=…, a folder with dumps of `pg_dump --schema-only`"]
async fn real_dumps_are_read_as_their_databases_are() {
    let folder = std::env::var("ZDM_REAL_SCHEMAS").expect("ZDM_REAL_SCHEMAS names a folder");
    let mut dumps: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    dumps.sort();
    let server = Server::start();
    let (mut same, mut different) = (0, Vec::new());
    for (number, path) in dumps.iter().enumerate() {
        let url = server.database(&format!("real{number}"));
        let text = std::fs::read_to_string(path).unwrap();
        // A dump empties the path, and some functions in it name types of their own schema bare.
        let restorable = text.replace("'search_path', ''", "'search_path', 'public'");
        execute(&url, &restorable).await;
        let found =
            match dump::read(&text, &path.display().to_string(), Dialect::Postgres, None).await {
                Ok(found) => found,
                Err(error) => {
                    different.push(error.to_string());
                    continue;
                }
            };
        let url = format!("{url}&options=-csearch_path%3D{}", found.schema);
        let database = catalogue(&url).await;
        if found == database {
            same += 1;
            continue;
        }
        different.push(format!("{}: {}", path.display(), lines(&found, &database)));
    }
    println!(
        "{same} of {} dumps are read as their databases are",
        dumps.len()
    );
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What only one of them has.
fn lines(left: &Catalogue, right: &Catalogue) -> String {
    let of = |catalogue: &Catalogue| format!("{catalogue:#?}");
    let (left, right) = (of(left), of(right));
    let only = |sign: &str, these: &str, those: &str| -> Vec<String> {
        let lines = these.lines().filter(|line| !those.contains(line));
        lines.map(|line| format!("{sign}{line}")).collect()
    };
    [only("-", &left, &right), only("+", &right, &left)]
        .concat()
        .join("\n")
}
