//! What was in one table is for the same roles in the other, rows and columns alike: what each role could do before is compared with
//! what it can do after, by statements that mean the same.

use cargo_zdm::dialect::Dialect;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use zdm_runtime::database::{Connection, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::Case;
use zdm_tests::postgres::Server;

use crate::database::run;
use crate::golden::{case, fixture};

/// A statement on the one table and the statement on the other that means the same.
type Twin = (&'static str, &'static str);

/// A split: users have addresses.
const SPLIT: [Twin; 7] = [
    (
        "SELECT id FROM users WHERE street IS NOT NULL",
        "SELECT user_id FROM addresses",
    ),
    (
        "SELECT street FROM users WHERE street IS NOT NULL ORDER BY 1",
        "SELECT street FROM addresses ORDER BY 1",
    ),
    (
        "SELECT postal FROM users WHERE postal IS NOT NULL ORDER BY 1",
        "SELECT postal_code FROM addresses WHERE postal_code IS NOT NULL ORDER BY 1",
    ),
    (
        "UPDATE users SET street = 'new' WHERE street IS NOT NULL RETURNING id",
        "UPDATE addresses SET street = 'new' RETURNING user_id",
    ),
    (
        "UPDATE users SET postal = 'new' WHERE street IS NOT NULL RETURNING id",
        "UPDATE addresses SET postal_code = 'new' RETURNING user_id",
    ),
    (
        "UPDATE users SET street = NULL, postal = NULL WHERE street IS NOT NULL RETURNING id",
        "DELETE FROM addresses RETURNING user_id",
    ),
    (
        "UPDATE users SET street = 'given', postal = 'given' WHERE street IS NULL AND id = 3 RETURNING id",
        "INSERT INTO addresses VALUES (3, 'given', 'given') RETURNING user_id",
    ),
];

/// The texts that a role gets, or none where it is refused. Nothing stays.
async fn tried(connection: &mut PgConnection, role: &str, sql: &str) -> Option<Vec<String>> {
    let mut transaction = connection.begin().await.unwrap();
    let set = format!("SET LOCAL ROLE {role}");
    transaction.execute(AssertSqlSafe(set)).await.unwrap();
    let column = format!("WITH done AS ({sql}) SELECT CAST(done AS text) FROM done");
    let shown = if sql.starts_with("SELECT") {
        format!("SELECT CAST(found AS text) FROM ({sql}) AS found")
    } else {
        column
    };
    let rows = transaction.fetch_all(AssertSqlSafe(shown)).await;
    transaction.rollback().await.unwrap();
    match rows {
        Ok(rows) => {
            let mut texts: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            texts.sort();
            Some(texts)
        }
        Err(error) => {
            let code = error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code);
            assert_eq!(code.as_deref(), Some("42501"), "{role}: {sql}: {error}");
            None
        }
    }
}

/// Something is shown or done; whether nothing is there for the role or it is refused is the same to the others.
fn effect(done: Option<Vec<String>>) -> Vec<String> {
    done.unwrap_or_default()
}

struct Journey {
    _server: Server,
    operator: Connection,
    roles: PgConnection,
    migration: Migration,
}

/// The tables before, with what `sql` makes there.
async fn before(case: &Case, sql: &str) -> Journey {
    let server = Server::start();
    let url = server.database("app");
    let mut operator = Connection::open(&url).await.unwrap();
    control::install(&mut operator).await.unwrap();
    let dialect = Dialect::named("postgres").unwrap();
    let foundation = case.foundation(&dialect);
    run(&mut operator, &foundation, Section::Expand, Direction::Up).await;
    operator.run_file(sql).await.unwrap();
    Journey {
        migration: case.migration(&dialect),
        operator,
        roles: PgConnection::connect(&url).await.unwrap(),
        _server: server,
    }
}

impl Journey {
    async fn run(&mut self, section: Section, direction: Direction) {
        run(&mut self.operator, &self.migration, section, direction).await;
    }

    /// Everything is where new code looks for it.
    async fn filled(&mut self) {
        self.run(Section::DualWrite, Direction::Up).await;
        for backfill in &self.migration.manifest().backfills {
            let bounds = self.migration.file(&backfill.bounds);
            let range = self.operator.query_file(bounds, &[]).await.unwrap();
            let batch = self.migration.file(&backfill.batch);
            self.operator.execute_file(batch, &range[0]).await.unwrap();
        }
    }

    async fn all(&mut self, roles: &[&str], side: fn(&Twin) -> &'static str) -> Vec<String> {
        let mut found = Vec::new();
        for role in roles {
            for twin in &SPLIT {
                let done = effect(tried(&mut self.roles, role, side(twin)).await);
                found.push(format!("{role}: {}: {done:?}", twin.0));
            }
        }
        found
    }

    async fn value(&mut self, sql: &str) -> String {
        let row = self.roles.fetch_one(AssertSqlSafe(sql.to_owned())).await;
        row.unwrap().get(0)
    }

    /// Expand is refused: why.
    async fn refused(&mut self) -> String {
        let options = ExecutorOptions::of("test");
        let refused = executor::run(
            &mut self.operator,
            &self.migration,
            Section::Expand,
            Direction::Up,
            &options,
            &mut |_| {},
        )
        .await
        .unwrap_err();
        format!("{refused:?}")
    }
}

const ROWS: &str = "INSERT INTO users (id, name, street, postal) VALUES (1, 'web', 's1', 'p1'), (2, 'everybody', 's2', NULL),
    (3, 'web', NULL, NULL), (4, 'web', 's4', 'p4'), (5, 'other', 's5', 'p5');";

const COLUMNS: [&str; 8] = [
    "all_of_it",
    "reader",
    "writer",
    "one_column",
    "both_columns",
    "every_one",
    "stranger",
    "giver",
];

#[tokio::test]
async fn every_role_has_the_rights_in_a_new_table_that_it_had_on_its_columns() {
    let roles = format!("CREATE ROLE {};", COLUMNS.join("; CREATE ROLE "));
    let mut journey = before(
        &case(),
        &format!(
            "{ROWS} {roles}
            ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO stranger;
            GRANT SELECT, INSERT, UPDATE, DELETE ON users TO all_of_it;
            GRANT SELECT ON users TO reader;
            GRANT SELECT, UPDATE ON users TO writer;
            GRANT SELECT (id, street), UPDATE (street) ON users TO one_column;
            GRANT SELECT (id, street, postal), UPDATE (street, postal) ON users TO both_columns;
            GRANT SELECT (id, street) ON users TO PUBLIC;
            GRANT SELECT ON users TO giver WITH GRANT OPTION"
        ),
    )
    .await;
    let old = journey.all(&COLUMNS, |twin| twin.0).await;
    for role in ["all_of_it", "writer", "both_columns"] {
        let given = format!("{role}: {}: [\"(3)\"]", SPLIT[6].0);
        assert!(old.contains(&given), "{given}: {old:#?}");
    }
    journey.run(Section::Expand, Direction::Up).await;
    journey.run(Section::Expand, Direction::Down).await;
    journey.run(Section::Expand, Direction::Up).await;
    assert_eq!(journey.all(&COLUMNS, |twin| twin.0).await, old);
    journey.filled().await;
    // Whoever writes one table needs no right on the other.
    assert_eq!(journey.all(&COLUMNS, |twin| twin.0).await, old);
    assert_eq!(journey.all(&COLUMNS, |twin| twin.1).await, old);
    let options = "SELECT concat_ws(' ', has_table_privilege('giver', 'addresses', 'SELECT WITH GRANT OPTION'),
        has_table_privilege('reader', 'addresses', 'SELECT WITH GRANT OPTION'), has_table_privilege('stranger', 'addresses', 'SELECT'))";
    assert_eq!(journey.value(options).await, "t f f");
}

const POLICIES: &str = "CREATE ROLE web; CREATE ROLE guest; CREATE ROLE judge BYPASSRLS;
    GRANT SELECT, INSERT, UPDATE, DELETE ON users TO web, guest, judge;
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY seen ON users FOR SELECT USING (name IN (current_user, 'everybody'));
    CREATE POLICY own ON users FOR UPDATE USING (name = current_user);
    CREATE POLICY fresh ON users FOR INSERT WITH CHECK (name = current_user);
    CREATE POLICY locked ON users AS RESTRICTIVE FOR UPDATE TO web USING (id <> 4);";

#[tokio::test]
async fn every_role_sees_and_writes_the_rows_of_a_new_table_whose_rows_it_could_write_before() {
    let roles = ["web", "guest", "judge"];
    for more in [
        "",
        "CREATE POLICY nothing ON users AS RESTRICTIVE TO guest USING (false)",
        "CREATE POLICY everything ON users TO guest USING (true) WITH CHECK (id <> 3)",
        "CREATE POLICY all_seen ON users FOR SELECT TO guest USING (true);
         CREATE POLICY half ON users FOR UPDATE TO guest USING (id <> 3) WITH CHECK (true)",
        "CREATE TABLE teams (member text); INSERT INTO teams VALUES ('other'); GRANT SELECT ON teams TO PUBLIC;
         CREATE POLICY team ON users USING (EXISTS (SELECT 1 FROM teams WHERE teams.member = users.name))",
    ] {
        let mut journey = before(&case(), &format!("{ROWS} {POLICIES} {more}")).await;
        let old = journey.all(&roles, |twin| twin.0).await;
        journey.run(Section::Expand, Direction::Up).await;
        journey.filled().await;
        assert_eq!(journey.all(&roles, |twin| twin.0).await, old, "{more}");
        assert_eq!(journey.all(&roles, |twin| twin.1).await, old, "{more}");
        // What is written to either table is in both.
        for write in [
            "UPDATE users SET street = 'there' WHERE id = 1",
            "INSERT INTO addresses VALUES (3, 'here', NULL)",
        ] {
            let as_web = format!("SET ROLE web; {write}; RESET ROLE");
            journey.roles.execute(AssertSqlSafe(as_web)).await.unwrap();
        }
        let both = "SELECT string_agg(CAST(u.street = a.street AS text), ' ') FROM users u JOIN addresses a ON a.user_id = u.id WHERE id IN (1, 3)";
        assert_eq!(journey.value(both).await, "true true", "{more}");
    }
}

#[tokio::test]
async fn a_role_that_row_security_could_not_ask_for_is_told_before_the_table_is_there() {
    let blind =
        format!("{ROWS} {POLICIES} CREATE ROLE blind; GRANT SELECT (id, street) ON users TO blind");
    let mut journey = before(&case(), &blind).await;
    let told = journey.refused().await;
    assert!(
        told.contains("GRANT SELECT (name) ON users TO blind; or"),
        "{told}"
    );
    assert_eq!(
        journey
            .value("SELECT (to_regclass('addresses') IS NULL)::text")
            .await,
        "true"
    );
}

#[tokio::test]
async fn an_owner_that_may_own_nothing_there_is_told_before_the_table_is_there() {
    let made = format!(
        "{ROWS} CREATE ROLE somebody; ALTER TABLE users OWNER TO somebody; CREATE ROLE ddl IN ROLE somebody;
        GRANT CREATE ON SCHEMA public TO ddl; GRANT USAGE ON SCHEMA zdm TO ddl; GRANT ALL ON ALL TABLES IN SCHEMA zdm TO ddl;
        SET ROLE ddl"
    );
    let mut journey = before(&case(), &made).await;
    let told = journey.refused().await;
    assert!(
        told.contains("GRANT CREATE ON SCHEMA public TO somebody"),
        "{told}"
    );
    journey
        .operator
        .run_file("RESET ROLE; GRANT CREATE ON SCHEMA public TO somebody; SET ROLE ddl")
        .await
        .unwrap();
    journey.run(Section::Expand, Direction::Up).await;
    let owner = "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'addresses'";
    assert_eq!(journey.value(owner).await, "somebody");
}

/// Row security that applies to the owner applies to triggers that act in his name, and would hide rows from them.
#[tokio::test]
async fn forced_row_security_is_forced_on_the_new_table() {
    let forced = format!("{ROWS} {POLICIES} ALTER TABLE users FORCE ROW LEVEL SECURITY");
    let mut journey = before(&case(), &forced).await;
    journey.run(Section::Expand, Direction::Up).await;
    let flags = "SELECT concat_ws(' ', relrowsecurity, relforcerowsecurity) FROM pg_class WHERE relname = 'addresses'";
    assert_eq!(journey.value(flags).await, "t t");
}

#[tokio::test]
async fn the_new_table_belongs_to_the_owner_of_the_old_one() {
    let made = "CREATE ROLE somebody; ALTER TABLE users OWNER TO somebody; GRANT CREATE ON SCHEMA public TO somebody;";
    let mut journey = before(&case(), &format!("{ROWS} {made}")).await;
    journey.run(Section::Expand, Direction::Up).await;
    journey.filled().await;
    let owners = "SELECT string_agg(DISTINCT relowner::regrole || ' ' || proowner::regrole, ', ') FROM pg_class, pg_proc
        WHERE relname IN ('users', 'addresses') AND pronamespace = 'zdm'::regnamespace";
    assert_eq!(journey.value(owners).await, "somebody somebody");
}

/// The columns of part come into main: nobody reads or changes them there who could not do so before.
#[tokio::test]
async fn rights_on_a_table_that_is_merged_are_rights_on_its_columns() {
    let mut journey = before(
        &fixture("merged"),
        "INSERT INTO users (id, name) VALUES (1, 'a'); INSERT INTO addresses (user_id, street, house) VALUES (1, 's', 1);
         CREATE ROLE of_part; CREATE ROLE of_main; CREATE ROLE looks;
         GRANT SELECT, INSERT, UPDATE, DELETE ON addresses TO of_part; GRANT SELECT (id, name), UPDATE (name) ON users TO of_main;
         GRANT SELECT (street) ON addresses TO looks",
    )
    .await;
    journey.run(Section::Expand, Direction::Up).await;
    journey.run(Section::Expand, Direction::Down).await;
    journey.run(Section::Expand, Direction::Up).await;
    for (role, sql, may) in [
        ("of_part", "SELECT street FROM users", true),
        (
            "of_part",
            "UPDATE users SET street = 'new' WHERE id = 1 RETURNING id",
            true,
        ),
        ("of_part", "SELECT name FROM users", false),
        (
            "of_part",
            "UPDATE users SET name = 'new' RETURNING id",
            false,
        ),
        ("of_part", "DELETE FROM users RETURNING id", false),
        ("of_main", "SELECT name FROM users", true),
        ("of_main", "SELECT street FROM users", false),
        (
            "of_main",
            "UPDATE users SET street = 'new' RETURNING id",
            false,
        ),
        ("looks", "SELECT street FROM users", true),
        ("looks", "SELECT name FROM users", false),
    ] {
        let done = tried(&mut journey.roles, role, sql).await;
        assert_eq!(done.is_some(), may, "{role}: {sql}");
    }
}

#[tokio::test]
async fn a_merge_that_would_show_or_open_more_than_before_is_refused() {
    for (made, words) in [
        (
            "GRANT SELECT ON users TO somebody",
            "somebody may SELECT all of users, and not street in addresses",
        ),
        (
            "GRANT UPDATE ON users TO somebody",
            "somebody may UPDATE all of users, and not street in addresses",
        ),
        (
            "GRANT INSERT ON addresses TO somebody",
            "somebody may INSERT rows of addresses, and not UPDATE street there",
        ),
        (
            "ALTER TABLE addresses ENABLE ROW LEVEL SECURITY",
            "row security decides who sees which rows of addresses, and says nothing of users",
        ),
    ] {
        let sql = format!("CREATE ROLE somebody; {made}");
        let mut journey = before(&fixture("merged"), &sql).await;
        let told = journey.refused().await;
        assert!(told.contains(words), "{told}");
        let column = "SELECT count(*)::text FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'street'";
        assert_eq!(journey.value(column).await, "0", "{made}");
    }
}
