//! Keys that grow or get another name: each command that exchanges names, or takes that back, is killed wherever it can be, the
//! application writes on, and the same command comes to the same end. `PostgreSQL` alone has such changes.

use std::process::{Command, Output};

use zdm_runtime::database::{Connection, Value};
use zdm_tests::postgres::Server;

use crate::enumerate::said;
use crate::on_postgres::{END, OWNER, effects, moments, through, until_alone};
use crate::proxy::{Proxy, Trip};

const HEAD: &str = "use zdm_runtime::Migratable;\n\n";
const HASTY: &str = "soak = \"0s\"\nramp_dwell = \"0s\"\n";

/// A project, and a server with a database per place of its way.
struct Way {
    folder: tempfile::TempDir,
    server: Server,
    proxy: Proxy,
    operator: Connection,
    copies: u32,
    /// A statement of the application that has to succeed at every moment.
    writes: &'static str,
}

impl Way {
    async fn new(before: &str, after: &str, rows: &[&str], writes: &'static str) -> Self {
        let server = Server::start();
        server.database("place_0");
        let way = Self {
            folder: tempfile::tempdir().unwrap(),
            proxy: Proxy::to(server.directory()),
            operator: Connection::open(&server.url()).await.unwrap(),
            server,
            copies: 0,
            writes,
        };
        std::fs::create_dir(way.folder.path().join("src")).unwrap();
        let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");
        way.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [dependencies]\nzdm-runtime = {{ path = {runtime:?} }}\n\n[workspace]\n"
            ),
        );
        way.write("src/lib.rs", "pub mod models;\n");
        way.write("src/models.rs", &format!("{HEAD}{before}"));
        way.done(&["init", "--dialect", "postgres"]);
        let written = std::fs::read_to_string(way.folder.path().join("zdm.toml")).unwrap();
        let (config, _) = written.split_once("[policy]").unwrap();
        way.write("zdm.toml", &format!("{config}[policy]\n{HASTY}"));
        way.done(&["expand"]);
        let mut connection = Connection::open(&way.url("place_0")).await.unwrap();
        for row in rows {
            connection.run_file(row).await.unwrap();
        }
        way.write("src/models.rs", &format!("{HEAD}{after}"));
        way.done(&["generate", "keys"]);
        way.done(&["expand"]);
        way
    }

    fn write(&self, below: &str, text: &str) {
        std::fs::write(self.folder.path().join(below), text).unwrap();
    }

    fn url(&self, database: &str) -> String {
        self.server.url_of(database, OWNER)
    }

    fn command(&self, arguments: &[&str], url: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zdm"));
        command
            .args(arguments)
            // With a host, so that a command may follow a killed one at once.
            .args(["--format", "json", "--actor", "kill@localhost"])
            .current_dir(self.folder.path())
            .env("DATABASE_URL", url);
        command
    }

    fn done(&self, arguments: &[&str]) {
        let output = self.ran(arguments, &self.url("place_0"));
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }

    fn ran(&self, arguments: &[&str], url: &str) -> Output {
        self.command(arguments, url).output().unwrap()
    }

    /// A copy of the database as it is now.
    async fn copy(&mut self) -> String {
        self.copies += 1;
        let name = format!("copy_{}", self.copies);
        until_alone(&mut self.operator, "place_0").await;
        let sql = format!("CREATE DATABASE {name} TEMPLATE place_0");
        self.operator.run_file(&sql).await.unwrap();
        name
    }

    async fn forget(&mut self, name: &str) {
        let sql = format!("DROP DATABASE {name} WITH (FORCE)");
        self.operator.run_file(&sql).await.unwrap();
    }

    /// Kills a command at every moment outside of a transaction, then takes it here to its end.
    async fn killed(&mut self, arguments: &[&str]) {
        let name = self.copy().await;
        let command = self.command(arguments, &through(self.proxy.directory(), &name));
        let passage = self.proxy.pass(command, Box::new(|_, _| false)).await;
        assert!(passage.output.status.success(), "{}", said(&passage.output));
        self.write_on(&name, "without a kill").await;
        let reference = there(&self.url(&name)).await;
        self.forget(&name).await;
        let moments = moments(&passage.trips);
        let outside: Vec<_> = moments.iter().filter(|moment| !moment.inside).collect();
        assert!(outside.len() > 3, "{moments:?}");
        for moment in outside {
            let name = self.copy().await;
            let command = self.command(arguments, &through(self.proxy.directory(), &name));
            let at = moment.at;
            let kill_before = Box::new(move |trips: &[Trip], _: bool| effects(trips) >= at);
            let passage = self.proxy.pass(command, kill_before).await;
            let killed = passage.output.status.code().is_none();
            assert!(
                killed || moment.before == END,
                "{moment:?}: {}",
                said(&passage.output)
            );
            until_alone(&mut self.operator, &name).await;
            let told = format!("{arguments:?} killed at {moment:?}");
            self.write_on(&name, &told).await;
            let again = self.ran(arguments, &self.url(&name));
            assert!(again.status.success(), "{told}: {}", said(&again));
            assert_eq!(there(&self.url(&name)).await, reference, "{told}");
            self.forget(&name).await;
        }
        self.done(arguments);
    }

    async fn write_on(&self, name: &str, told: &str) {
        let mut connection = Connection::open(&self.url(name)).await.unwrap();
        let written = connection.run_file(self.writes).await;
        assert!(written.is_ok(), "{told}: {written:?}");
    }
}

/// Tables, with their rows, and all that stands on them.
async fn there(url: &str) -> String {
    let sql = "SELECT string_agg(what, E'\\n' ORDER BY what) FROM (
            SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid AS what FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
            WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, -1) || ' ' || attnotnull || attidentity::text
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
            UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 'stage ' || stage FROM zdm.stage
            UNION ALL SELECT 'user ' || users::text FROM users
            UNION ALL SELECT 'post ' || posts::text FROM posts) found";
    let mut connection = Connection::open(url).await.unwrap();
    match &connection.query(sql, &[]).await.unwrap()[0][..] {
        [Value::Text(Some(text))] => text.clone(),
        other => panic!("{other:?}"),
    }
}

const ROWS: &[&str] = &[
    "INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 20) n",
    "INSERT INTO posts (id, user_id) SELECT n, n FROM generate_series(1, 20) n",
];

#[tokio::test]
async fn a_key_that_grows_is_killed_at_its_exchange_and_on_the_way_back() {
    let models = |key: &str, child: &str| {
        format!(
            "#[derive(Migratable)]\n#[zdm(index(columns(name, id), name = \"by_name\"))]\npub struct User {{\n    {key}\n    pub name: String,\n}}\n\n\
             #[derive(Migratable)]\npub struct Post {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    {child}\n}}\n"
        )
    };
    let mut way = Way::new(
        &models(
            "#[zdm(primary_key, auto)]\n    pub id: i32,",
            "#[zdm(references = \"users(id)\")]\n    pub user_id: i32,",
        ),
        &models(
            "#[zdm(primary_key, auto, from(\"id\"), final_name = \"id\")]\n    pub id: i64,",
            "#[zdm(references = \"users(id)\", from(\"user_id\"), final_name = \"user_id\")]\n    pub user_id: i64,",
        ),
        ROWS,
        "UPDATE users SET name = 'written' WHERE id = 7; INSERT INTO users (name) VALUES ('new'); DELETE FROM posts WHERE id = 9",
    )
    .await;
    for command in [
        &["switch", "--to", "dual_write"][..],
        &["backfill"],
        &["verify"],
        &["switch", "--to", "shadow"],
        &["switch", "--to", "100%"],
        &["verify"],
        &["switch", "--to", "ramp_down"],
    ] {
        way.done(command);
    }
    way.killed(&["switch", "--to", "complete"]).await;
    way.killed(&["rollback", "--to", "dual_write"]).await;
}

#[tokio::test]
async fn a_key_that_gets_another_name_is_killed_at_its_exchange_and_on_the_way_back() {
    let models = |key: &str, reference: &str| {
        format!(
            "#[derive(Migratable)]\npub struct User {{\n    {key}\n    pub name: String,\n}}\n\n\
             #[derive(Migratable)]\npub struct Post {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    #[zdm(references = \"{reference}\")]\n    \
             pub user_id: i64,\n}}\n"
        )
    };
    let mut way = Way::new(
        &models("#[zdm(primary_key, auto)]\n    pub id: i64,", "users(id)"),
        &models(
            "#[zdm(primary_key, auto, renamed_from = \"id\")]\n    pub account: i64,",
            "users(account)",
        ),
        ROWS,
        "UPDATE users SET name = 'written' WHERE name = 'user 7'; INSERT INTO users (name) VALUES ('new'); INSERT INTO posts (id, user_id) VALUES (21, 7)",
    )
    .await;
    way.done(&["switch", "--to", "ramp_down"]);
    way.killed(&["switch", "--to", "complete"]).await;
    way.killed(&["rollback", "--to", "off"]).await;
}
