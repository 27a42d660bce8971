//! Contract without `keep`: what keeps both sides is there as long as old is, so that a write of old by others is in new, or fails.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;
use crate::split::blocks;

/// Structs, rows, and how a row's value is written on the old side and read on the new one.
struct Kind {
    before: &'static str,
    after: &'static str,
    rows: &'static str,
    table: &'static str,
    old: (&'static str, &'static str),
    new: &'static str,
    gone: &'static str,
}

impl Kind {
    fn write(&self, id: i32, value: &str) -> String {
        let (table, (column, key)) = (self.table, self.old);
        format!("UPDATE {table} SET {column} = '{value}' WHERE {key} = {id}")
    }

    fn arrived(&self, project: &Project, id: i32) -> String {
        project.value(&format!("{} = {id}", self.new))
    }
}

fn net() -> Kind {
    Kind {
        before: "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    pub name: String,
    pub size: i32,
}
",
        after: "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    #[zdm(renamed_from = \"name\")]
    pub title: String,
    #[zdm(from(\"size\"), up = \"size::bigint\", down = \"length::integer\")]
    pub length: i64,
}
",
        rows: "INSERT INTO parts VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)",
        table: "parts",
        old: ("name", "id"),
        new: "SELECT title FROM parts WHERE id",
        gone: "name",
    }
}

fn moves() -> [Kind; 3] {
    const USERS: &str = "INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'c');
        INSERT INTO addresses VALUES (1, 'first', 'x'), (2, 'second', 'y'), (3, 'third', 'z')";
    let [split, after_split, merge, after_merge, moved, after_move] = blocks();
    [
        Kind {
            before: split,
            after: after_split,
            rows: "INSERT INTO users VALUES (1, 'a', 'first', 'x'), (2, 'b', 'second', 'y'), (3, 'c', 'third', 'z')",
            table: "users",
            old: ("street", "id"),
            new: "SELECT street FROM addresses WHERE user_id",
            gone: "street",
        },
        Kind {
            before: merge,
            after: after_merge,
            rows: USERS,
            table: "addresses",
            old: ("street", "user_id"),
            new: "SELECT street FROM users WHERE id",
            gone: "addresses",
        },
        Kind {
            before: moved,
            after: after_move,
            rows: USERS,
            table: "addresses",
            old: ("town", "user_id"),
            new: "SELECT city FROM users WHERE id",
            gone: "town",
        },
    ]
}

fn at_complete(project: &Project, kind: &Kind, nets: bool) {
    user_crate(project);
    project.write("src/models.rs", kind.before);
    project.done(&["init"]);
    be_hasty(project);
    if nets {
        let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
        let asked = "[generate]\ndual_write = \"both\"\n";
        project.write("zdm.toml", &written.replace("[generate]\n", asked));
    }
    project.done(&["expand"]);
    project.execute(kind.rows);
    project.write("src/models.rs", kind.after);
    project.done(&["generate", "change"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("change"), "complete");
    project.done(&["finalize", "change"]);
}

/// Before old goes the server does this.
fn before_old_goes(project: &Project, does: &str) {
    project.execute(&format!(
        "CREATE FUNCTION before_old_goes() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {does}; END $$;
         CREATE EVENT TRIGGER before_old_goes ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'DROP TABLE')
             EXECUTE FUNCTION before_old_goes()"
    ));
}

fn at_once(project: &Project) {
    project.execute("DROP EVENT TRIGGER before_old_goes; DROP FUNCTION before_old_goes");
}

/// Contract as if it had been killed right before old went.
fn stopped(project: &Project) {
    let is_postgres = project.url.starts_with("postgres");
    if is_postgres {
        before_old_goes(project, "RAISE 'stopped'");
    } else {
        // Nothing is dropped beside a view that does not hold.
        project.execute("CREATE VIEW broken AS SELECT absent FROM users");
    }
    let stopped = project.zdm(&["contract", "change"]);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    if is_postgres {
        stopped.says("stopped");
        at_once(project);
    } else {
        stopped.says("broken");
        project.execute("DROP VIEW broken");
    }
    assert_eq!(project.stage("change"), "complete");
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes old, and knows what was committed last, row by row. What is gone is no loss: the writer is told.
fn write(project: &Project, kind: &Kind, id: i32, stop: &AtomicBool) -> BTreeMap<i32, String> {
    const GONE: [&str; 4] = [
        "does not exist",
        "no such column",
        "no such table",
        "locked",
    ];
    let mut last = BTreeMap::new();
    project.connected(async |connection| {
        let mut turn = 0;
        while turn < 20 || !stop.load(Ordering::Relaxed) {
            turn += 1;
            let value = format!("{id} in turn {turn}");
            match connection.run_file(&kind.write(id, &value)).await {
                Ok(()) => {
                    last.insert(id, value);
                }
                Err(error) => {
                    let told = error.to_string();
                    assert!(GONE.iter().any(|words| told.contains(words)), "{told}");
                }
            }
            tokio::task::yield_now().await;
        }
    });
    last
}

fn nothing_is_lost(project: &Project, kind: &Kind, nets: bool) {
    at_complete(project, kind, nets);
    stopped(project);
    project.execute(&kind.write(1, "still"));
    assert_eq!(kind.arrived(project, 1), "still");
    // Time for whoever waits for old to be free.
    let is_postgres = project.url.starts_with("postgres");
    if is_postgres {
        before_old_goes(project, "PERFORM pg_sleep(0.2)");
    }
    let stop = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let end = Stop(stop);
        let writers = [1, 2, 3].map(|id| scope.spawn(move || write(project, kind, id, stop)));
        project.done(&["contract", "change"]);
        drop(end);
        for writer in writers {
            for (id, expected) in writer.join().unwrap() {
                assert_eq!(kind.arrived(project, id), expected, "row {id}");
            }
        }
    });
    if is_postgres {
        at_once(project);
    }
    assert_eq!(project.stage("change"), "contracted");
    project.refuses(&kind.write(1, "gone"), kind.gone);
}

#[test]
fn a_net_is_there_as_long_as_the_columns_are() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    nothing_is_lost(project, &net(), true);
}

#[test]
fn triggers_between_tables_are_there_as_long_as_old_is() {
    let server = Server::start();
    for (place, kind) in moves().iter().enumerate() {
        let project = &Project::on(server.database(&format!("app_{place}")), "");
        nothing_is_lost(project, kind, false);
    }
}

#[test]
fn triggers_between_tables_are_there_as_long_as_old_is_on_sqlite() {
    for kind in &moves() {
        nothing_is_lost(&Project::sqlite(""), kind, false);
    }
}
