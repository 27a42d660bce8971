//! The user's own SQL as steps of a version, and what in the database names a column that goes.

use zdm_tests::postgres::Server;

use crate::generate::{AFTER, be_hasty, user_crate};
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
    // They are edited where they are now.
    let raws = project.path(format!("zdm/{folder}/raw/expand")).read_dir();
    let mut raws: Vec<_> = raws.unwrap().map(|entry| entry.unwrap().path()).collect();
    raws.retain(|path| path.to_string_lossy().ends_with(".up.sql"));
    let edited = std::fs::read_to_string(&raws[0]).unwrap() + "-- And so it stays.\n";
    std::fs::write(&raws[0], edited).unwrap();
    let refused = project.zdm(&["generate"]);
    assert_ne!(refused.code, 0, "{refused:#?}");
    refused.says("was edited after it was generated");
    project.done(&["generate", "--amend"]).says(folder);
    project.done(&["check"]);
    let generated = project.path(format!("zdm/{folder}/1_expand/up.sql"));
    let generated = std::fs::read_to_string(generated).unwrap();
    assert!(generated.contains("And so it stays."), "{generated}");
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
fn a_view_is_recreated_around_a_replaced_column_on_postgres() {
    let server = Server::start();
    recreated(&Project::on(server.database("app"), ""));
}

#[test]
fn a_view_is_recreated_around_a_replaced_column_on_sqlite() {
    recreated(&Project::sqlite(""));
}

fn recreated(project: &Project) {
    expanded(project);
    project.execute("CREATE VIEW shown AS SELECT name FROM users");
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let stopped = project.zdm(&["expand"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says("view shown names the column users.name");
    stopped.says("names the column users.name (zdm/raw/drop)");
    project.refuses("SELECT full_name FROM users", "full_name");

    raw(
        project,
        "drop/before_shown",
        "DROP VIEW shown;\n",
        "CREATE VIEW shown AS SELECT name FROM users;\n",
    );
    raw(
        project,
        "drop/after_shown",
        "CREATE VIEW shown AS SELECT full_name AS name FROM users;\n",
        "DROP VIEW shown;\n",
    );
    project.done(&["generate", "--amend"]);
    project.done(&["expand"]);
    project.zdm(&["advance"]);
    assert_eq!(project.stage("users_full_name"), "complete");
    assert_eq!(project.value("SELECT name FROM shown"), "ada");
    project.done(&["finalize"]);
    // Somebody's own view on the old column is seen before the contract begins, whoever dropped the first.
    project.execute("CREATE VIEW late AS SELECT name FROM users");
    let stopped = project.zdm(&["contract"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says("view late names the column users.name");
    assert!(!stopped.err.contains("view shown"), "{stopped:#?}");
    assert_eq!(project.value("SELECT name FROM shown"), "ada");
    project.execute("DROP VIEW late");
    project.done(&["contract"]);
    assert_eq!(project.value("SELECT name FROM shown"), "ada");
    project.refuses("SELECT name FROM users WHERE name = 'x'", "name");
}

#[test]
fn everything_that_names_a_column_is_named_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    expanded(&project);
    project.execute(
        "CREATE MATERIALIZED VIEW kept AS SELECT name FROM users;
        CREATE FUNCTION first_name() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT name FROM users LIMIT 1; END;
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER of_name AFTER UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE TRIGGER when_name BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION nothing();
        CREATE TRIGGER of_all BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE POLICY own ON users USING (name = current_user);
        CREATE RULE ruled AS ON DELETE TO users WHERE OLD.name = 'ada' DO INSTEAD NOTHING;
        ALTER TABLE users ADD COLUMN loud text GENERATED ALWAYS AS (upper(name)) STORED;
        CREATE VIEW other AS SELECT id FROM users",
    );
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let stopped = project.zdm(&["expand"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    for named in [
        "materialized view kept",
        "function first_name",
        "trigger of_name",
        "trigger when_name",
        "policy own",
        "rule ruled",
        "generated column loud",
    ] {
        stopped.says(&format!("{named} names the column users.name"));
    }
    for other in ["of_all", "view other", "function nothing"] {
        assert!(!stopped.err.contains(other), "{other}: {stopped:#?}");
    }
}

#[test]
fn what_stands_on_a_view_of_the_column_is_named_with_it() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    expanded(&project);
    project.execute(
        "CREATE VIEW shown AS SELECT name FROM users;
        CREATE MATERIALIZED VIEW above AS SELECT upper(name) AS loud FROM shown;
        CREATE VIEW on_top AS SELECT loud FROM above;
        CREATE FUNCTION all_shown() RETURNS SETOF shown LANGUAGE sql AS 'SELECT * FROM shown'",
    );
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let stopped = project.zdm(&["expand"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says("view shown names the column users.name");
    stopped.says("materialized view above names the view shown");
    stopped.says("view on_top names the materialized view above");
    stopped.says("function all_shown names the view shown");
}

#[test]
fn what_other_tables_say_of_a_table_that_goes_is_named() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    expanded(&project);
    project.execute(
        "CREATE TABLE other (id bigint);
        CREATE POLICY of_users ON other USING (id IN (SELECT id FROM users));
        CREATE POLICY own ON users USING (id = 1);
        CREATE RULE also AS ON INSERT TO other DO ALSO INSERT INTO users (name) VALUES ('x')",
    );
    project.write("src/models.rs", "");
    project.done(&["generate", "gone", "--drop-table", "users"]);
    let stopped = project.zdm(&["expand"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says("policy of_users names the table users");
    stopped.says("rule also names the table users");
    assert!(!stopped.err.contains("policy own"), "{stopped:#?}");
}

#[test]
fn a_view_of_a_column_whose_type_grows_is_recreated_around_it() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    let bounded = |bound: &str| {
        AFTER.replace(
            "    #[zdm(renamed_from = \"name\")]\n",
            &format!("    #[zdm(sql_type = \"{bound}\")]\n"),
        )
    };
    user_crate(&project);
    project.write("src/models.rs", &bounded("varchar(20)"));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute(
        "INSERT INTO users (full_name) VALUES ('ada');
        CREATE VIEW shown AS SELECT full_name FROM users;
        CREATE VIEW above AS SELECT full_name FROM shown",
    );
    project.write("src/models.rs", &bounded("varchar(40)"));
    // What comes after the change is not before it.
    let late = "DROP VIEW IF EXISTS above; DROP VIEW IF EXISTS shown;\n";
    raw(&project, "expand/after_0_late", late, "SELECT 1;\n");
    project.done(&["generate", "longer"]);
    let stopped = project.zdm(&["expand"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says(
        "view shown names the column users.full_name, which changes in place (zdm/raw/expand)",
    );
    stopped.says("view above names the view shown (zdm/raw/expand)");

    let [above, shown] = [("above", "shown"), ("shown", "users")].map(|(view, of)| {
        (
            format!("DROP VIEW {view};\n"),
            format!("CREATE VIEW {view} AS SELECT full_name FROM {of};\n"),
        )
    });
    raw(&project, "expand/before_1_above", &above.0, &above.1);
    raw(&project, "expand/before_2_shown", &shown.0, &shown.1);
    raw(&project, "expand/after_1_shown", &shown.1, &shown.0);
    raw(&project, "expand/after_2_above", &above.1, &above.0);
    project.done(&["generate", "--amend"]);
    project.done(&["expand"]);
    assert_eq!(project.value("SELECT full_name FROM above"), "ada");
    project.execute(&format!(
        "INSERT INTO users (full_name) VALUES ('{}')",
        "x".repeat(40)
    ));
    assert_eq!(project.value("SELECT count(*) FROM above"), "2");
}

#[test]
fn what_an_earlier_section_has_dropped_is_named_when_it_is_there_again() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    expanded(&project);
    let create = "CREATE VIEW shown AS SELECT name FROM users;\n";
    project.execute(create);
    raw(
        &project,
        "expand/before_shown",
        "DROP VIEW shown;\n",
        create,
    );
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    project.done(&["expand"]);
    project.zdm(&["advance"]);
    assert_eq!(project.stage("users_full_name"), "complete");
    project.done(&["finalize"]);
    project.execute(create);
    let stopped = project.zdm(&["contract"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says("view shown names the column users.name");
    project.execute("DROP VIEW shown");
    project.done(&["contract"]);
}

#[test]
fn a_trigger_on_a_column_whose_name_goes_over_is_named() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    expanded(&project);
    project.execute(
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER of_name AFTER UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION nothing()",
    );
    let renamed = "renamed_from = \"name\"";
    assert!(AFTER.contains(renamed));
    let kept = "from(\"name\"), up = \"length(name)\", down = \"repeat('x', name_new::integer)\", final_name = \"name\"";
    let after = AFTER.replace(renamed, kept);
    project.write(
        "src/models.rs",
        &after.replace("full_name: String", "name: i64"),
    );
    project.done(&["generate", "name"]);
    let stopped = project.zdm(&["expand"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says("trigger of_name names the column users.name");
    project.execute("DROP TRIGGER of_name ON users");
    project.done(&["expand"]);
    let walk: [&[&str]; 8] = [
        &["switch", "--to", "dual_write"],
        &["backfill"],
        &["verify"],
        &["switch", "--to", "shadow"],
        &["switch", "--to", "100%"],
        &["verify"],
        &["switch", "--to", "ramp_down"],
        &["switch", "--to", "complete"],
    ];
    for step in walk {
        project.done(step);
    }
    // It stands on the column that stays.
    project.execute(
        "CREATE TRIGGER of_name AFTER UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION nothing()",
    );
    project.cargo_zdm(&["finalize"]);
    project.done(&["contract"]);
    assert_eq!(project.value("SELECT name::text FROM users"), "3");
}

#[test]
fn a_trigger_that_names_a_column_is_named_on_sqlite() {
    let project = Project::sqlite("");
    expanded(&project);
    project.execute(
        "CREATE TRIGGER of_name AFTER UPDATE OF name ON users BEGIN SELECT 1; END;
        CREATE TRIGGER of_id AFTER UPDATE OF id ON users BEGIN SELECT 1; END",
    );
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let stopped = project.zdm(&["expand"]);
    assert_eq!(stopped.code, 4, "{stopped:#?}");
    stopped.says("trigger of_name names the column users.name");
    assert!(!stopped.err.contains("of_id"), "{stopped:#?}");
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
