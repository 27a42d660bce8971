//! `keep = "14d"`: contract renames old away, a trigger maintains it, and a rollback brings it back until the time is over.

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
    pub weight: String,
    pub note: Option<String>,
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
    #[zdm(from(\"weight\"), up = \"weight::integer\", down = \"coalesce(grams, 0)::text\", on_invalid = \"quarantine\")]
    pub grams: Option<i32>,
}
";

fn choose(project: &Project, keep: &str) {
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let line = format!("[generate]\nkeep = \"{keep}\"\n");
    project.write("zdm.toml", &written.replace("[generate]\n", &line));
}

fn declared(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    be_hasty(project);
    choose(project, "14d");
    project.done(&["expand"]);
    project.execute(
        "INSERT INTO parts VALUES (1, 'bolt', 1, '007', 'a'), (2, 'nut', 2, '20', 'b'), (3, 'pin', 3, '30', NULL)",
    );
    project.write("src/models.rs", AFTER);
}

/// The final code is checked in, and contract is all that is left.
pub(crate) fn at_complete(project: &Project) {
    declared(project);
    project.done(&["generate", "parts"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("parts"), "complete");
    project.done(&["finalize", "parts"]);
}

/// Both sides of a row, while old is kept.
fn kept(project: &Project, id: i32) -> String {
    project.value(&format!(
        "SELECT concat_ws(' ', title, zdm_kept_name, length, coalesce(zdm_kept_size::text, '-'), coalesce(grams::text, '-'),
            coalesce(zdm_kept_weight, '-'), zdm_kept_note) FROM parts WHERE id = {id}"
    ))
}

fn row(project: &Project, id: i32) -> String {
    project.value(&format!(
        "SELECT concat_ws(' ', title, name, length, size, coalesce(grams::text, '-'), weight, note) FROM parts WHERE id = {id}"
    ))
}

fn columns(project: &Project) -> String {
    project.value(
        "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = 'parts'::regclass AND attnum > 0 AND NOT attisdropped",
    )
}

/// Triggers and functions of the tool's own.
fn objects(project: &Project) -> String {
    project.value(
        "SELECT concat_ws(' ', (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zzz_zdm_%'),
            (SELECT count(*) FROM pg_proc WHERE pronamespace = 'zdm'::regnamespace))",
    )
}

pub(crate) fn waits(project: &Project, command: &[&str], told: &str) {
    let waits = project.zdm(command);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says(told);
}

#[test]
fn contract_is_taken_back_and_done_again() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    // Nothing maintains old at `complete`, as without `keep`.
    project.execute("UPDATE parts SET title = 'stale' WHERE id = 3");
    project
        .done(&["contract", "--dry-run"])
        .says("RENAME COLUMN name TO zdm_kept_name");
    let contracted = project.done(&["contract"]);
    contracted.says("kept under another name for 14 days");
    contracted.says("`cargo zdm rollback parts` brings it back");
    assert_eq!(project.stage("parts"), "kept");
    assert_eq!(objects(project), "1 2");
    let status = project.done(&["status", "parts"]);
    status.says("old is kept under another name until 20");
    status.says("parts.note is kept as it was at contract: nothing maintains it");
    waits(
        project,
        &["advance"],
        "kept_long_enough: old is kept for another 13 d",
    );
    waits(project, &["contract"], "kept_long_enough");
    what_is_written_is_maintained(project);
    let same = project.done(&["diff", "--from", &project.url, "--to", "models"]);
    assert!(!same.out.contains("kept"), "{same:#?}");

    taken_back(project);
    // Once more, by way of a kill before each record.
    forward(project);
    project.execute("UPDATE zdm.migration SET contracted_at = -1, kept_until = NULL WHERE kept_until IS NOT NULL");
    assert_eq!(project.stage("parts"), "complete");
    project.done(&["contract", "parts"]);
    assert_eq!(project.stage("parts"), "kept");
    project.execute("UPDATE zdm.migration SET contracted_at = -1, kept_until = NULL WHERE kept_until IS NOT NULL");
    project.done(&["rollback", "--to", "ramp_down", "parts"]);
    assert_eq!(
        columns(project),
        "id name size weight note title length grams"
    );
    project.done(&["switch", "--to", "complete", "parts"]);
    project.done(&["contract", "parts"]);
    project.done(&["rollback", "parts"]);
    project.execute("UPDATE zdm.migration SET contracted_at = 1, kept_until = 1 WHERE rolled_back_to = 'complete'");
    waits(
        project,
        &["contract", "parts"],
        "0 of 1 steps of 5_contract/2_keep are in effect",
    );
    project.done(&["rollback", "parts"]);
    assert_eq!(project.stage("parts"), "complete");

    project.done(&["contract", "parts"]);
    project.execute("UPDATE zdm.migration SET kept_until = 1 WHERE kept_until IS NOT NULL");
    dropped_in_part(project);
    project.done(&["advance"]).says("what was kept is gone");
    assert_eq!(project.stage("parts"), "contracted");
    assert_eq!(columns(project), "id title length grams");
    assert_eq!(objects(project), "0 0");
    let gone = project.zdm(&["rollback", "parts"]);
    assert_eq!(gone.code, 2, "{gone:#?}");
    gone.says("old is dropped");
}

fn what_is_written_is_maintained(project: &Project) {
    assert_eq!(
        kept(project, 1),
        "bolt bolt 1 1 7 007 a",
        "what is consistent is left alone"
    );
    project.execute("INSERT INTO parts (id, title, length, grams) VALUES (4, 'nail', 4, 40)");
    assert_eq!(kept(project, 4), "nail nail 4 4 40 40");
    project.execute("UPDATE parts SET title = 'screw', length = 10 WHERE id = 1");
    assert_eq!(kept(project, 1), "screw screw 10 10 7 007 a");
    project.execute("UPDATE parts SET grams = 8 WHERE id = 1");
    assert_eq!(kept(project, 1), "screw screw 10 10 8 8 a");
    project.execute(
        "COPY parts (id, title, length, grams) FROM PROGRAM 'echo 5,rod,5,50' (FORMAT csv)",
    );
    assert_eq!(kept(project, 5), "rod rod 5 5 50 50");
    project.execute(
        "INSERT INTO parts (id, title, length) VALUES (5, 'bar', 6) ON CONFLICT (id) DO UPDATE SET title = excluded.title, length = 7",
    );
    assert_eq!(kept(project, 5), "bar bar 7 7 50 50");
    // Old has no place for it, and the write goes through all the same.
    project.execute("UPDATE parts SET length = 3000000000 WHERE id = 2");
    assert_eq!(kept(project, 2), "nut nut 3000000000 2 20 20 b");
    project.execute("UPDATE parts SET length = 22 WHERE id = 2");
    assert_eq!(kept(project, 2), "nut nut 22 22 20 20 b");
    // Who has no right on what is the tool's own writes as well.
    project.execute(
        "CREATE ROLE writer; GRANT INSERT, UPDATE, SELECT ON parts TO writer; SET ROLE writer;
         UPDATE parts SET grams = 21 WHERE id = 2",
    );
    assert_eq!(kept(project, 2), "nut nut 22 22 21 21 b");
}

fn taken_back(project: &Project) {
    project
        .done(&["rollback", "--dry-run", "parts"])
        .says("what is kept gets its names back");
    project.done(&["rollback", "parts"]).says("kept → complete");
    assert_eq!(project.stage("parts"), "complete");
    assert_eq!(
        columns(project),
        "id name size weight note title length grams"
    );
    assert_eq!(objects(project), "0 1");
    // What a rollback has put back, another one without a goal does not take further.
    assert_eq!(project.zdm(&["rollback", "parts"]).code, 2);
    project.done(&["rollback", "--to", "ramp_down", "parts"]);
    project.done(&["verify", "parts"]);
    project.done(&["rollback", "--to", "dual_write", "parts"]);
    assert_eq!(row(project, 1), "screw screw 10 10 8 8 a");
    assert_eq!(row(project, 3), "stale stale 3 3 30 30");
    assert_eq!(row(project, 5), "bar bar 7 7 50 50");
    let differ =
        "SELECT count(*) FROM parts WHERE title <> name OR length <> size OR grams::text <> weight";
    assert_eq!(project.value(differ), "0");
}

/// The drop stops behind its first step: the trigger is gone, and nothing maintains old any more.
fn dropped_in_part(project: &Project) {
    project.execute(
        "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$;
         CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop()",
    );
    let stopped = project.zdm(&["contract", "parts"]);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    project.execute("DROP EVENT TRIGGER stop; DROP FUNCTION stop");
    let told = project.done(&["status", "parts"]);
    told.says("0002_parts: dropping");
    told.says("`cargo zdm contract parts` goes on");
    assert!(!told.out.contains("cargo zdm rollback"), "{told:#?}");
    let object = project.done(&["status", "parts", "--format", "json"]);
    let status = &object.object()["migrations"][0];
    assert_eq!(status["stage"], "dropping", "{status}");
    assert_eq!(status["drop_kept"]["steps_done"], 1, "{status}");
    assert_eq!(status["kept_until"], serde_json::Value::Null, "{status}");
    let gone = project.zdm(&["rollback", "parts"]);
    assert_eq!(gone.code, 2, "{gone:#?}");
    gone.says("the drop of what was kept has begun");
    gone.says("`cargo zdm contract parts` ends what has begun");
    let switched = project.zdm(&["switch", "--to", "ramp_down", "parts"]);
    switched.says("run `cargo zdm contract`, which ends it");
}

/// From `dual_write` through contract.
fn forward(project: &Project) {
    project.done(&["resume", "parts"]);
    for arguments in [
        &["switch", "--to", "shadow", "parts"][..],
        &["switch", "--to", "100%", "parts"],
        &["verify", "parts"],
        &["switch", "--to", "ramp_down", "parts"],
        &["switch", "--to", "complete", "parts"],
        &["contract", "parts"],
    ] {
        if arguments[2..] == ["shadow", "parts"] {
            project.done(&["backfill", "parts"]);
            project.done(&["verify", "parts"]);
        }
        project.done(arguments);
    }
}

/// Each writer has rows of its own, and knows what it wrote last.
fn write(project: &Project, first: i32, stop: &AtomicBool) -> Vec<(i32, String)> {
    let mut last = Vec::new();
    project.connected(async |connection| {
        let mut turn = 0;
        // Every row once at least.
        while turn < 7 || !stop.load(Ordering::Relaxed) {
            turn += 1;
            let id = first + turn % 7;
            let title = format!("{first} {turn}");
            let sql = format!(
                "INSERT INTO parts (id, title, length, grams) VALUES ({id}, '{title}', {turn}, {turn})
                 ON CONFLICT (id) DO UPDATE SET title = excluded.title, length = excluded.length, grams = excluded.grams"
            );
            connection.run_file(&sql).await.unwrap();
            last.retain(|(other, _)| *other != id);
            last.push((id, format!("{title} {turn} {turn}")));
            tokio::task::yield_now().await;
        }
    });
    last
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs commands beside writers, none of whom may fail.
fn beside_writers(project: &Project, commands: &[&[&str]]) {
    let stop = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A command that fails must not leave them at work.
        let end = Stop(stop);
        let writers: Vec<_> = [100, 200, 300]
            .map(|first| scope.spawn(move || write(project, first, stop)))
            .into();
        for command in commands {
            project.done(command);
        }
        drop(end);
        for writer in writers {
            for (id, expected) in writer.join().unwrap() {
                let sql = format!(
                    "SELECT concat_ws(' ', title, length, grams) FROM parts WHERE id = {id}"
                );
                assert_eq!(project.value(&sql), expected);
            }
        }
    });
}

#[test]
fn nobody_who_writes_meanwhile_fails_or_loses_a_value() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    let (contract, rollback) = (&["contract", "parts"][..], &["rollback", "parts"][..]);
    beside_writers(project, &[contract, rollback, contract, rollback, contract]);
    let differ =
        "SELECT count(*) FROM parts WHERE id >= 100 AND (title IS DISTINCT FROM zdm_kept_name
        OR length IS DISTINCT FROM zdm_kept_size OR grams::text IS DISTINCT FROM zdm_kept_weight)";
    // Whatever was written before the last contract is written once more.
    beside_writers(project, &[&["status"]]);
    assert_eq!(project.value(differ), "0");
    beside_writers(project, &[rollback]);
    project.done(&["rollback", "--to", "ramp_down", "parts"]);
    project.done(&["rollback", "--to", "dual_write", "parts"]);
    let differ = "SELECT count(*) FROM parts WHERE id >= 100 AND (title IS DISTINCT FROM name OR length IS DISTINCT FROM size
        OR grams::text IS DISTINCT FROM weight)";
    assert_eq!(project.value(differ), "0");
    project.done(&["verify", "parts"]);
}

#[test]
fn the_next_version_begins_and_what_needs_the_names_waits() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    project.done(&["contract"]);
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    let with = |line: &str| {
        models.replace(
            "pub title: String,",
            &format!("pub title: String,\n    {line}"),
        )
    };
    project.write("src/models.rs", &with("pub name: Option<i32>,"));
    project.done(&["generate", "names"]);
    waits(
        project,
        &["expand"],
        "0002_parts still has to drop the column parts.name",
    );
    // The trigger knows what it would drop.
    let less = models.replace("    pub grams: Option<i32>,\n", "");
    let drops = "#[derive(Migratable)]\n#[zdm(drops(\"grams\"))]";
    project.write(
        "src/models.rs",
        &less.replace("#[derive(Migratable)]", drops),
    );
    project.done(&["generate", "less", "--amend"]);
    waits(
        project,
        &["expand"],
        "0002_parts keeps both sides of parts by a trigger",
    );
    project.write("src/models.rs", &with("pub label: Option<String>,"));
    project.done(&["generate", "labels", "--amend"]);
    project.done(&["expand"]);
    project.execute("UPDATE parts SET label = 'x', title = 'y' WHERE id = 2");
    assert_eq!(kept(project, 2), "y y 2 2 20 20 b");
    project.done(&["rollback", "parts"]);
    assert_eq!(row(project, 2), "y y 2 2 20 20 b");
}

#[test]
fn a_version_does_without_where_it_says_so() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    declared(project);
    project.done(&["generate", "parts"]);
    let page = std::fs::read_to_string(project.path("zdm/0002_parts/README.md")).unwrap();
    assert!(page.contains("`5_contract/3_drop`"), "{page}");
    assert!(page.contains("14 days"), "{page}");
    let runbook = page.split_once("## Runbook").unwrap().1;
    let again = "cargo zdm contract parts   # 14 days later: what was kept is dropped (`5_contract/3_drop`)";
    assert!(runbook.contains(again), "{runbook}");
    assert!(!page.contains("cargo zdm approve"), "{page}");
    approvals_are_in_the_runbook(project);
    project.done(&["generate", "--amend", "--no-keep"]);
    assert!(!project.path("zdm/0002_parts/5_contract/2_keep").exists());
    project.done(&["generate", "--amend"]);
    assert!(!project.path("zdm/0002_parts/5_contract/2_keep").exists());
    project.done(&["check"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    project.done(&["finalize", "parts"]);
    project
        .done(&["contract", "--dry-run"])
        .says("this cannot be undone");
    let contracted = project.done(&["contract"]);
    contracted.says("contract cannot be undone");
    contracted.says("nothing brings it back");
    assert_eq!(columns(project), "id title length grams");
}

/// What `[policy]` asks for is shown where the page is shown, and is no part of the version.
fn approvals_are_in_the_runbook(project: &Project) {
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    for (approvals, people) in [
        (1, "somebody other than who runs it agrees"),
        (2, "2 people"),
    ] {
        let asked = format!("[policy]\napprovals = {approvals}\n");
        project.write("zdm.toml", &written.replace("[policy]\n", &asked));
        let shown = project.done(&["review", "parts"]);
        let runbook = shown.out.split_once("## Runbook").unwrap().1;
        assert!(runbook.contains("cargo zdm approve parts"), "{runbook}");
        assert!(runbook.contains(people), "{runbook}");
        assert!(runbook.contains("one approval is for both"), "{runbook}");
        project.done(&["check"]);
    }
    project.write("zdm.toml", &written);
}

#[test]
fn sqlite_keeps_nothing_and_says_why() {
    let project = &Project::sqlite("");
    declared_on_sqlite(project);
    let refused = project.zdm(&["generate", "parts"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("`keep` asks for a way back from contract: SQLite has no `keep_columns`");
    refused.says("cargo zdm generate --no-keep");
    project.done(&["generate", "parts", "--no-keep"]);
}

fn declared_on_sqlite(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    choose(project, "14d");
    let renamed = BEFORE.replace("pub name", "#[zdm(renamed_from = \"name\")]\n    pub title");
    project.write("src/models.rs", &renamed);
}

const NOTE: &str = "
#[derive(Migratable)]
pub struct Note {
    #[zdm(primary_key)]
    pub id: i32,
    pub text: String,
}
";

#[test]
fn what_nothing_takes_the_place_of_is_kept_as_it_was() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    user_crate(project);
    project.write("src/models.rs", &format!("{BEFORE}{NOTE}"));
    project.done(&["init"]);
    be_hasty(project);
    choose(project, "36h");
    project.done(&["expand"]);
    project.execute(
        "INSERT INTO parts VALUES (1, 'bolt', 1, '1', 'a'); INSERT INTO notes VALUES (1, 'x')",
    );
    project.write(
        "src/models.rs",
        &BEFORE.replace("    pub note: Option<String>,\n", ""),
    );
    project.done(&["generate", "things", "--drop-table", "notes"]);
    project.done(&["advance", "--before-deploy"]);
    waits(
        project,
        &["advance"],
        "kept_long_enough: old is kept for another 1 d 11 h",
    );
    assert_eq!(project.stage("things"), "kept");
    project.execute("INSERT INTO parts (id, name, size, weight) VALUES (2, 'nut', 2, '2')");
    assert_eq!(project.value("SELECT text FROM zdm_kept_notes"), "x");
    assert_eq!(
        project.value("SELECT zdm_kept_note FROM parts WHERE id = 1"),
        "a"
    );
    project.done(&["rollback", "things"]);
    project.done(&["rollback", "--to", "off", "things"]);
    project.execute("INSERT INTO notes VALUES (2, 'y')");
    assert_eq!(project.value("SELECT note FROM parts WHERE id = 1"), "a");
    project.done(&["resume", "things"]);
    waits(project, &["advance"], "kept_long_enough");
    assert_eq!(project.value("SELECT count(*) FROM zdm_kept_notes"), "2");
    project
        .done(&["contract", "--dry-run", "things"])
        .says("this cannot be undone");
    project.execute("UPDATE zdm.migration SET kept_until = 1 WHERE kept_until IS NOT NULL");
    project.done(&["advance"]);
    assert_eq!(project.stage("things"), "contracted");
    let tables = "SELECT count(*) FROM pg_class WHERE relname IN ('notes', 'zdm_kept_notes')";
    assert_eq!(project.value(tables), "0");
    assert_eq!(columns(project), "id name size weight");
}
