//! The user's own SQL as steps of a version.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

/// A crate whose first version is in the database.
fn expanded(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada')");
}

fn raw(project: &Project, name: &str, up: &str, down: &str) {
    let path = project.path(format!("zdm/raw/{name}.up.sql"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, up).unwrap();
    project.write(&format!("zdm/raw/{name}.down.sql"), down);
}

#[test]
fn own_functions_and_triggers_are_steps_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    expanded(&project);
    raw(
        &project,
        "expand/before_10_shout",
        "-- Names are shouted.\nCREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.name := upper(NEW.name);\n  RETURN NEW;\nEND $$;\n",
        "DROP FUNCTION shout();\n",
    );
    raw(
        &project,
        "expand/before_20_shouted",
        "CREATE TRIGGER shouted BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION shout();\nCREATE VIEW loud AS SELECT name FROM users;\n",
        "DROP VIEW loud;\nDROP TRIGGER shouted ON users;\n",
    );
    taken_in_undone_and_redone(
        &project,
        "0002_shout",
        "SELECT count(*) FROM pg_trigger WHERE tgname = 'shouted'",
    );
    project.execute("INSERT INTO users (name) VALUES ('grace')");
    assert_eq!(
        project.value("SELECT max(name) FROM loud WHERE name <> 'ada'"),
        "GRACE"
    );
    let page = std::fs::read_to_string(project.path("zdm/0002_shout/README.md")).unwrap();
    assert!(page.contains("SHARE ROW"), "{page}");
}

#[test]
fn own_views_and_triggers_are_steps_on_sqlite() {
    let project = Project::sqlite("");
    expanded(&project);
    raw(
        &project,
        "expand/after_10_shouted",
        "CREATE VIEW loud AS SELECT name FROM users;\nCREATE TRIGGER shouted AFTER INSERT ON users BEGIN\n  UPDATE users SET name = upper(name) WHERE id = NEW.id;\nEND;\n",
        "DROP TRIGGER shouted;\nDROP VIEW loud;\n",
    );
    taken_in_undone_and_redone(
        &project,
        "0002_shouted",
        "SELECT count(*) FROM sqlite_schema WHERE name = 'shouted'",
    );
    project.execute("INSERT INTO users (name) VALUES ('grace')");
    assert_eq!(
        project.value("SELECT max(name) FROM loud WHERE name <> 'ada'"),
        "GRACE"
    );
}

fn taken_in_undone_and_redone(project: &Project, folder: &str, count: &str) {
    let check = project.zdm(&["check"]);
    assert_eq!(check.code, 1, "{check:#?}");
    let generated = project.done(&["generate", "--format", "json"]).object();
    assert_eq!(generated["version"]["folder"], folder, "{generated}");
    assert!(
        !project.path("zdm/raw/expand").exists()
            || project
                .path("zdm/raw/expand")
                .read_dir()
                .unwrap()
                .next()
                .is_none()
    );
    assert!(project.path(format!("zdm/{folder}/raw/expand")).is_dir());
    project.done(&["check"]);
    project.done(&["generate"]).says("nothing has changed");
    project.done(&["generate", "--amend"]).says(folder);
    project.done(&["check"]);
    let name = folder.split_once('_').unwrap().1;
    for _ in 0..2 {
        project.done(&["expand"]);
        assert_eq!(project.value(count), "1");
        project.done(&["rollback", name]);
        assert_eq!(project.value(count), "0");
    }
    project.done(&["expand"]);
    // What was reviewed is what runs.
    let file = project.path(format!("zdm/{folder}/1_expand/up.sql"));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("upper("), "{text}");
}

#[test]
fn files_that_cannot_be_steps_are_refused() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.done(&["init"]);
    let view = "CREATE VIEW v AS SELECT 1;\n";
    for (file, text, reason) in [
        ("expand/before_v.up.sql", view, "it has no undo"),
        ("expand/before_v.down.sql", view, "that it takes back"),
        ("expand/v.up.sql", view, "before_ or after_"),
        ("expand/before_v.sql", view, "the name ends in .up.sql"),
        (
            "1_expand/before_v.up.sql",
            view,
            "a folder per section: expand, dual_write",
        ),
        (
            "switch_reads/before_v.up.sql",
            "-- irreversible: it is so\nCREATE VIEW v AS SELECT 1;\n",
            "has no switch_reads",
        ),
        (
            "expand/before_v.up.sql",
            "-- irreversible: it is so\nCREATE VIEW v AS SELECT 1;\nCOMMIT;\n",
            "line 3: COMMIT",
        ),
        (
            "expand/before_v.up.sql",
            "-- irreversible: so\n\\i other.sql\n",
            "psql",
        ),
        (
            "expand/before_v.up.sql",
            "-- irreversible: so\n",
            "no statement",
        ),
        (
            "expand/before_v.up.sql",
            "-- no transaction\n-- irreversible: so\nCREATE INDEX CONCURRENTLY i ON users (name); CREATE INDEX CONCURRENTLY j ON users (name);\n",
            "one statement",
        ),
        (
            "expand/before_v.up.sql",
            "-- no transaction\n-- irreversible: so\nALTER TABLE users ADD x int;\n",
            "lock_timeout",
        ),
    ] {
        let path = project.path(format!("zdm/raw/{file}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let refused = project.zdm(&["generate"]);
        assert_eq!(refused.code, 1, "{file}: {refused:#?}");
        refused.says(file.split('/').next().unwrap());
        refused.says(reason);
        std::fs::remove_dir_all(project.path("zdm/raw")).unwrap();
    }
    // With the reason in it, no undo is asked for.
    let path = project.path("zdm/raw/expand/before_i.up.sql");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(
        &path,
        "-- no transaction\n-- irreversible: nobody misses it\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (name);\n",
    )
    .unwrap();
    project.done(&["generate"]);
    project.done(&["expand"]);
    assert_eq!(
        project.value("SELECT count(*) FROM pg_indexes WHERE indexname = 'i'"),
        "1"
    );
}
