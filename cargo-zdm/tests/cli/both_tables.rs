//! Columns that move between tables, for roles that may do less than everything: what each of them lacks shuts a gate, which prints the
//! statements; these open it, run as they were printed, and then everybody reads and writes what he did before, and nothing else.

use zdm_runtime::database::{Connection, Value};
use zdm_tests::postgres::Server;

use crate::database::HASTY;
use crate::generate::{be_hasty, user_crate};
use crate::project::{Project, Run};
use crate::split::{blocks, forward};

pub(crate) struct Shop {
    server: Server,
    pub(crate) project: Project,
}

/// With the structs of the page before a move, rows, and what `sql` makes of roles; then those after it.
pub(crate) fn shop(place: usize, sql: &str) -> Shop {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    user_crate(&project);
    project.write("src/models.rs", blocks()[place]);
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute(sql);
    project.write("src/models.rs", blocks()[place + 1]);
    project.done(&["generate", "moved"]);
    Shop { server, project }
}

impl Shop {
    fn connected<T>(&self, role: &str, work: impl AsyncFnOnce(&mut Connection) -> T) -> T {
        let url = self.server.url_of("shop", role);
        self.project.connected(async |_| {
            let mut connection = Connection::open(&url).await.unwrap();
            // The tool's own connections are told where policies hide rows; an application's are not.
            connection
                .execute("SET row_security = on", &[])
                .await
                .unwrap();
            work(&mut connection).await
        })
    }

    /// As an application does: the rows of one text that it gets, or why it gets none.
    fn does(&self, role: &str, sql: &str) -> Result<Vec<String>, String> {
        self.connected(role, async |connection| {
            let rows = connection.query(sql, &[]).await;
            let rows = rows.map_err(|error| error.to_string())?;
            let text = |row: Vec<Value>| match row.into_iter().next() {
                Some(Value::Text(Some(text))) => text,
                other => format!("{other:?}"),
            };
            let mut texts: Vec<String> = rows.into_iter().map(text).collect();
            texts.sort();
            Ok(texts)
        })
    }

    pub(crate) fn url_of(&self, role: &str) -> String {
        self.server.url_of("shop", role)
    }

    pub(crate) fn may(&self, role: &str, sql: &str) -> Vec<String> {
        let done = self.does(role, sql);
        done.unwrap_or_else(|error| panic!("{role}: {sql}: {error}"))
    }

    /// By `SET ROLE`, which is the only way to it.
    fn as_hat(&self, sql: &str) {
        self.connected("pool", async |connection| {
            connection.execute("SET ROLE hat", &[]).await.unwrap();
            connection.execute(sql, &[]).await.unwrap();
        });
    }

    pub(crate) fn may_not(&self, role: &str, sql: &str) -> String {
        let done = self.does(role, sql);
        done.err().unwrap_or_else(|| panic!("{role} may {sql}"))
    }

    /// The command is stopped by this gate alone; what it prints is run as it is.
    pub(crate) fn opened(&self, command: &[&str], gate: &str) -> Vec<String> {
        let run = self.project.zdm(command);
        assert_eq!(run.code, 4, "{command:?}: {run:#?}");
        let shut: Vec<&str> = run
            .err
            .lines()
            .filter_map(|line| line.strip_prefix("  shut: "))
            .collect();
        assert!(shut.len() == 1 && shut[0].starts_with(gate), "{run:#?}");
        let statements = statements(&run);
        assert!(!statements.is_empty(), "{run:#?}");
        self.project.execute(&statements.join("\n"));
        statements
    }
}

/// The lines that are SQL.
fn statements(run: &Run) -> Vec<String> {
    let lines = run.out.lines().chain(run.err.lines()).map(str::trim);
    let begins = ["GRANT ", "ALTER TABLE ", "CREATE POLICY ", "DROP POLICY "];
    lines
        .filter(|line| begins.iter().any(|begin| line.starts_with(begin)))
        .map(str::to_owned)
        .collect()
}

pub(crate) const SPLIT: usize = 0;
pub(crate) const MERGE: usize = 2;
pub(crate) const MOVE: usize = 4;

pub(crate) const USERS: &str = "INSERT INTO users (id, name, street, city) VALUES (1, 'ada', 's1', 'c1'), (2, 'bob', 's2', NULL), (3, 'ada', NULL, NULL);";

#[test]
fn who_writes_or_reads_what_is_split_off_gets_what_is_missing_and_no_more() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE web LOGIN; CREATE ROLE crew; CREATE ROLE worker LOGIN IN ROLE crew; CREATE ROLE report LOGIN;
             CREATE ROLE janitor LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE hat; CREATE ROLE pool LOGIN NOINHERIT IN ROLE hat;
             GRANT SELECT, INSERT, UPDATE, DELETE ON users TO web; GRANT SELECT, UPDATE ON users TO crew, hat;
             GRANT SELECT (id, street) ON users TO report; GRANT SELECT (id), DELETE ON users TO janitor;
             GRANT SELECT (id, name), UPDATE (name) ON users TO clerk"
        ),
    );
    let expanded = shop.project.done(&["expand"]);
    expanded.says("before that, for 0002_moved reads both tables");
    let all = "SELECT (\"city\", \"id\", \"street\")";
    assert!(!expanded.out.contains(all), "{expanded:#?}");
    let given = shop.opened(&["switch", "--to", "dual_write"], "rights_on_both_tables");
    // What expand has carried over is not asked for, and who may update has not been given what else that takes.
    let rest = "INSERT (\"street\", \"town\", \"user_id\"), DELETE ON \"addresses\"";
    assert_eq!(
        given,
        [
            format!("GRANT {rest} TO hat;"),
            "GRANT SELECT (\"user_id\") ON \"addresses\" TO janitor;".to_owned(),
            format!("GRANT {rest} TO worker;"),
        ],
    );
    for (at, stage) in ["dual_write", "shadow", "live", "ramp_down", "complete"]
        .into_iter()
        .enumerate()
    {
        for command in moves(stage) {
            shop.project.done(command);
        }
        let (id, by) = (10 * (at + 1), ["web", "worker"][at % 2]);
        shop.may(
            "web",
            &format!("INSERT INTO users VALUES ({id}, 'new', 'here', NULL)"),
        );
        let update =
            format!("UPDATE users SET street = 'changed' WHERE id = {id} RETURNING street");
        assert_eq!(shop.may(by, &update), ["changed"]);
        let there = format!("SELECT street FROM addresses WHERE user_id = {id}");
        assert_eq!(shop.may("report", &there), ["changed"]);
        shop.may(
            by,
            &format!("UPDATE addresses SET town = 'there' WHERE user_id = {id}"),
        );
        let here = format!("SELECT city FROM users WHERE id = {id}");
        assert_eq!(shop.may(by, &here), ["there"], "{stage}");
        shop.may(by, &format!("DELETE FROM addresses WHERE user_id = {id}"));
        shop.as_hat(&format!(
            "UPDATE users SET street = 'by hat' WHERE id = {id}"
        ));
        shop.may(
            "clerk",
            &format!("UPDATE users SET name = 'named' WHERE id = {id}"),
        );
        shop.may("janitor", &format!("DELETE FROM users WHERE id = {id}"));
        for refused in [
            "SELECT town FROM addresses",
            "UPDATE addresses SET street = 'x'",
            "SELECT name FROM users",
        ] {
            shop.may_not("report", refused);
        }
        for role in ["stranger", "clerk"] {
            shop.may_not(role, "SELECT street FROM addresses");
        }
        shop.may_not("janitor", "UPDATE users SET name = 'x'");
    }
    shop.project.done(&["finalize"]);
    shop.project.done(&["contract"]);
    assert_eq!(
        shop.may("report", "SELECT street FROM addresses"),
        ["s1", "s2"]
    );
}

/// What leads to a stage from the one before it.
pub(crate) fn moves(stage: &str) -> &'static [&'static [&'static str]] {
    match stage {
        "dual_write" => &[&["switch", "--to", "dual_write"]],
        "shadow" => &[&["backfill"], &["verify"], &["switch", "--to", "shadow"]],
        "live" => &[&["switch", "--to", "100%"]],
        "ramp_down" => &[&["verify"], &["switch", "--to", "ramp_down"]],
        _ => &[&["switch", "--to", "complete"]],
    }
}

#[test]
fn a_right_that_goes_on_the_way_keeps_reads_from_moving() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE web LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO web"
        ),
    );
    forward(&shop.project, "shadow");
    shop.project.execute("REVOKE DELETE ON addresses FROM web");
    let given = shop.opened(&["switch", "--to", "100%"], "rights_on_both_tables");
    assert_eq!(given, ["GRANT DELETE ON \"addresses\" TO web;"]);
    shop.project.done(&["switch", "--to", "100%"]);
}

#[test]
fn columns_of_a_merge_are_there_before_rights_on_them_and_their_triggers_after() {
    let shop = shop(
        MERGE,
        "INSERT INTO users VALUES (1, 'ada'), (2, 'bob'); INSERT INTO addresses VALUES (1, 's1', 't1');
         CREATE ROLE web LOGIN; CREATE ROLE old LOGIN; CREATE ROLE report LOGIN;
         GRANT SELECT, INSERT, UPDATE, DELETE ON users, addresses TO web;
         GRANT SELECT, INSERT, UPDATE, DELETE ON addresses TO old; GRANT SELECT (user_id, town) ON addresses TO report",
    );
    let old_writes = |street: &str| {
        let write =
            format!("UPDATE addresses SET street = '{street}' WHERE user_id = 1 RETURNING street");
        assert_eq!(shop.may("old", &write), [street]);
    };
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zdm_%'";
    let waits = shop.project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("the new columns are there, and no trigger and no code names them");
    assert_eq!(shop.project.value(triggers), "0");
    old_writes("s2");
    // It is shown where it stands, and can be taken back.
    shop.project.done(&["status"]).says("GRANT SELECT (\"city\", \"id\", \"street\"), UPDATE (\"city\", \"street\") ON \"users\" TO old;");
    shop.project.done(&["rollback", "moved"]);
    let columns = "SELECT count(*) FROM pg_attribute WHERE attname = 'street' AND attrelid = 'users'::regclass";
    assert_eq!(shop.project.value(columns), "0");

    let given = shop.opened(&["expand"], "rights_on_both_tables");
    assert_eq!(
        given,
        [
            "GRANT SELECT (\"city\", \"id\", \"street\"), UPDATE (\"city\", \"street\") ON \"users\" TO old;",
            "GRANT SELECT (\"city\", \"id\") ON \"users\" TO report;",
        ]
    );
    shop.project.done(&["expand"]);
    assert_ne!(shop.project.value(triggers), "0");
    for stage in [
        "off",
        "dual_write",
        "shadow",
        "live",
        "ramp_down",
        "complete",
    ] {
        if stage != "off" {
            for command in moves(stage) {
                shop.project.done(command);
            }
        }
        old_writes(stage);
        let found = "SELECT street FROM users WHERE id = 1";
        assert_eq!(shop.may("web", found), [stage]);
        shop.may(
            "web",
            "UPDATE users SET street = 'new', city = 'x' WHERE id = 2",
        );
        let found = "SELECT street FROM addresses WHERE user_id = 2";
        assert_eq!(shop.may("old", found), ["new"]);
        shop.may("old", "DELETE FROM addresses WHERE user_id = 2");
        shop.may("old", "INSERT INTO addresses VALUES (2, 'again', NULL)");
        shop.may(
            "web",
            "UPDATE users SET street = NULL, city = NULL WHERE id = 2",
        );
        assert_eq!(
            shop.may("report", "SELECT city FROM users WHERE id = 1"),
            ["t1"]
        );
        for (role, refused) in [
            ("report", "SELECT street FROM users"),
            ("old", "SELECT name FROM users"),
            ("old", "DELETE FROM users"),
        ] {
            shop.may_not(role, refused);
        }
    }
}

#[test]
fn rights_that_would_grow_wait_for_a_person_who_says_so() {
    let shop = shop(
        MOVE,
        "INSERT INTO users VALUES (1, 'ada'); INSERT INTO addresses VALUES (1, 's1', 't1');
         CREATE ROLE report LOGIN; GRANT SELECT ON users TO report",
    );
    let waits = shop.project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("shut: wider_rights: report may read city in users and could not in addresses");
    waits.says("GRANT SELECT (\"town\") ON \"addresses\" TO report;");
    // Given where it was as well, it is no more than before.
    shop.project
        .execute("GRANT SELECT (town, user_id) ON addresses TO report");
    shop.project.done(&["expand"]);
    shop.project.execute("REVOKE ALL ON addresses FROM report");
    let switch = ["switch", "--to", "dual_write"];
    assert_eq!(shop.project.zdm(&switch).code, 4);
    let written = std::fs::read_to_string(shop.project.path("zdm.toml")).unwrap();
    let (head, _) = written.split_once("[policy]").unwrap();
    let accepted = format!("{head}[policy]\n{HASTY}\nwaive = [\"wider_rights\"]\n");
    shop.project.write("zdm.toml", &accepted);
    shop.project.done(&switch);
    shop.project.done(&["backfill"]);
    assert_eq!(shop.may("report", "SELECT city FROM users"), ["t1"]);
}

#[test]
fn everybody_is_granted_what_everybody_needs_once() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE a LOGIN; CREATE ROLE b LOGIN; GRANT SELECT ON users TO PUBLIC; GRANT UPDATE (street) ON users TO b"
        ),
    );
    shop.project.done(&["expand"]);
    shop.project.execute("REVOKE ALL ON addresses FROM PUBLIC");
    let given = shop.opened(&["switch", "--to", "dual_write"], "rights_on_both_tables");
    assert_eq!(
        given,
        [
            "GRANT SELECT (\"street\", \"town\", \"user_id\") ON \"addresses\" TO PUBLIC;",
            "GRANT UPDATE (\"city\") ON \"users\" TO b;",
            "GRANT INSERT (\"street\", \"town\", \"user_id\"), UPDATE (\"town\"), DELETE ON \"addresses\" TO b;",
        ]
    );
}
