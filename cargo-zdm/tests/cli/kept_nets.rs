//! `keep` together with `dual_write = "both"`: one trigger takes the place of the other, and nobody's write is lost in between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const BEFORE: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    pub name: String,
    pub size: i32,
}
";

const AFTER: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    #[zdm(renamed_from = \"name\")]
    pub title: String,
    #[zdm(from(\"size\"), up = \"size::bigint\", down = \"length::integer\")]
    pub length: i64,
}
";

fn at_complete(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    be_hasty(project);
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let asked = "[generate]\nkeep = \"14d\"\ndual_write = \"both\"\n";
    project.write("zdm.toml", &written.replace("[generate]\n", asked));
    project.done(&["expand"]);
    project.execute("INSERT INTO parts SELECT n, 'part ' || n, n FROM generate_series(1, 12) AS n");
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "parts"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("parts"), "complete");
    project.done(&["finalize", "parts"]);
}

/// The triggers on the table, and the functions and sequences that are theirs.
fn objects(project: &Project) -> String {
    project.value(
        "SELECT concat_ws(' ', (SELECT string_agg(regexp_replace(tgname, '[0-9a-f]{12}', 'id'), ' ' ORDER BY tgname) FROM pg_trigger
                WHERE tgname LIKE 'zzz_zdm_%'),
            (SELECT count(*) FROM pg_proc WHERE pronamespace = 'zdm'::regnamespace),
            (SELECT count(*) FROM pg_class WHERE relname LIKE '%_parts_caught'))",
    )
}

const NETTED: &str = "zzz_zdm_id 1 1";
const KEPT: &str = "zzz_zdm_id_kept 1 0";

fn row(project: &Project, columns: &str) -> String {
    project.value(&format!(
        "SELECT concat_ws(' ', {columns}) FROM parts WHERE id = 1"
    ))
}

/// Every `ALTER TABLE` fails meanwhile: what goes before it in a section is done, as if it had been killed there.
fn stopped(project: &Project, command: &[&str]) {
    project.execute(
        "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$;
         CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop()",
    );
    let stopped = project.zdm(command);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    project.execute("DROP EVENT TRIGGER stop; DROP FUNCTION stop");
}

#[test]
fn one_trigger_takes_the_place_of_the_other() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    let both = "name, title, size, length";
    assert_eq!(objects(project), NETTED);
    project.execute("UPDATE parts SET name = 'old' WHERE id = 1");
    assert_eq!(row(project, both), "old old 1 1");

    // Who writes old by its name goes on writing new, as long as it has that name.
    stopped(project, &["contract", "parts"]);
    project.execute("UPDATE parts SET name = 'still', size = 2 WHERE id = 1");
    assert_eq!(row(project, both), "still still 2 2");
    project.execute("UPDATE parts SET title = 'new' WHERE id = 1");
    assert_eq!(row(project, both), "new new 2 2");

    for round in 0..2 {
        project.done(&["contract", "parts"]);
        assert_eq!(objects(project), KEPT);
        project.execute(&format!(
            "UPDATE parts SET title = 'kept {round}', length = 3 WHERE id = 1"
        ));
        let kept = row(project, "zdm_kept_name, title, zdm_kept_size, length");
        assert_eq!(kept, format!("kept {round} kept {round} 3 3"));
        stopped(project, &["rollback", "parts"]);
        assert_eq!(objects(project), KEPT);
        project.done(&["rollback", "parts"]);
        assert_eq!(objects(project), NETTED);
        project.execute("UPDATE parts SET name = 'back', size = 4 WHERE id = 1");
        assert_eq!(row(project, both), "back back 4 4");
        project.execute("UPDATE parts SET title = 'again', length = 5 WHERE id = 1");
        assert_eq!(row(project, both), "again again 5 5");
    }
    project.done(&["rollback", "--to", "off", "parts"]);
    assert_eq!(objects(project), "0 0");
    let differ = "SELECT count(*) FROM parts WHERE title <> name OR length <> size";
    assert_eq!(project.value(differ), "0");
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes rows of its own by these names, and knows what was committed last. Names that are gone are no loss: the writer is told.
fn write(project: &Project, first: i32, by: [&str; 2], stop: &AtomicBool) -> BTreeMap<i32, String> {
    let [text, number] = by;
    let mut last = BTreeMap::new();
    project.connected(async |connection| {
        let mut turn = 0;
        while turn < 20 || !stop.load(Ordering::Relaxed) {
            turn += 1;
            let id = first + turn % 4;
            // Rows come, and change on one side alone.
            let sql = match turn % 3 {
                0 => format!("UPDATE parts SET {text} = '{first} {turn}', {number} = {turn} WHERE id = {id}"),
                1 => format!(
                    "DELETE FROM parts WHERE id = {id}; INSERT INTO parts (id, {text}, {number}) VALUES ({id}, '{first} {turn}', {turn})"
                ),
                _ => format!("UPDATE parts SET {number} = {turn}, {text} = '{first} {turn}' WHERE id = {id}"),
            };
            match connection.run_file(&sql).await {
                Ok(()) => {
                    last.insert(id, format!("{first} {turn} {turn}"));
                }
                Err(error) => {
                    let told = error.to_string();
                    let is_gone = ["name", "size"].iter().any(|column| {
                        told.contains(&format!("column \"{column}\" of relation \"parts\" does not exist"))
                    });
                    assert!(is_gone && by == ["name", "size"], "{told}");
                }
            }
            tokio::task::yield_now().await;
        }
    });
    last
}

/// Runs a command beside writers of either side; afterwards every row is what was written last, on both sides.
fn beside_writers(project: &Project, command: &[&str], old: [&str; 2]) {
    let stop = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let end = Stop(stop);
        let (before, after) = (["name", "size"], ["title", "length"]);
        let writers = [(1, before), (5, after), (9, before)];
        let writers =
            writers.map(|(first, by)| scope.spawn(move || write(project, first, by, stop)));
        project.done(command);
        drop(end);
        for writer in writers {
            for (id, expected) in writer.join().unwrap() {
                let [text, number] = old;
                let sides = project.value(&format!(
                    "SELECT concat_ws(' | ', title || ' ' || length, {text} || ' ' || {number}) FROM parts WHERE id = {id}"
                ));
                assert_eq!(
                    sides,
                    format!("{expected} | {expected}"),
                    "row {id}, {command:?}"
                );
            }
        }
    });
}

#[test]
fn writers_of_either_side_lose_nothing_on_the_way_to_contract_and_back() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    let (named, kept) = (["name", "size"], ["zdm_kept_name", "zdm_kept_size"]);
    for _ in 0..3 {
        beside_writers(project, &["contract", "parts"], kept);
        beside_writers(project, &["rollback", "parts"], named);
    }
    beside_writers(project, &["rollback", "--to", "ramp_down", "parts"], named);
    beside_writers(project, &["rollback", "--to", "dual_write", "parts"], named);
    project.done(&["verify", "parts"]);
    for forward in [
        &["switch", "--to", "shadow", "parts"][..],
        &["switch", "--to", "100%", "parts"],
        &["verify", "parts"],
        &["switch", "--to", "ramp_down", "parts"],
        &["switch", "--to", "complete", "parts"],
    ] {
        beside_writers(project, forward, named);
    }
    beside_writers(project, &["contract", "parts"], kept);
    project.execute("UPDATE zdm.migration SET kept_until = 1 WHERE kept_until IS NOT NULL");
    let new = ["title", "length"];
    beside_writers(project, &["contract", "parts"], new);
    assert_eq!(project.stage("parts"), "contracted");
    assert_eq!(objects(project), "0 0");
}
