//! An enum whose type goes over to another: what waits meanwhile, and what is over afterwards.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const OLD: &str = "Happy,\n    Sad,";
const RENAMED: &str = "Happy,\n    #[zdm(renamed_from = \"sad\")]\n    Unhappy,";
const LAST: &str = "Happy,\n    Unhappy,";
const PET: &str = "\n#[derive(Migratable)]\npub struct Pet {\n    #[zdm(primary_key)]\n    pub id: i64,\n    \
                   pub mood: Mood,\n}\n";

fn models(values: &str, more: &str) -> String {
    format!(
        "use zdm_runtime::{{Migratable, MigratableEnum}};\n\n#[derive(Migratable)]\npub struct User {{\n    \
         #[zdm(primary_key)]\n    pub id: i64,\n    pub mood: Mood,\n}}\n{more}\n#[derive(MigratableEnum)]\n\
         pub enum Mood {{\n    {values}\n}}\n"
    )
}

/// The second version gives a value another name.
fn renamed(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", &models(OLD, ""));
    project.done(&["init", "--dialect", "postgres"]);
    be_hasty(project);
    project.write("src/models.rs", &models(RENAMED, ""));
    project.done(&["generate", "moods"]);
}

#[test]
fn what_names_the_enum_waits_until_the_code_is_final() {
    let project = Project::sqlite("");
    renamed(&project);
    let added = RENAMED.to_owned() + "\n    Calm,";
    for models in [models(RENAMED, PET), models(&added, "")] {
        project.write("src/models.rs", &models);
        let run = project.cargo_zdm(&["generate", "more"]);
        assert_eq!(run.code, 1, "{run:#?}");
        run.says("the enum `mood` is in transition by 0002_moods");
    }
    let other = PET.replace("mood: Mood", "name: String");
    project.write("src/models.rs", &models(RENAMED, &other));
    project.done(&["generate", "more"]);
}

#[test]
fn what_was_said_of_values_may_not_change_and_is_spent_in_the_end() {
    let project = Project::sqlite("");
    renamed(&project);
    project.done(&["check"]);
    project.write(
        "src/models.rs",
        &models(
            &RENAMED.replace("renamed_from = \"sad\"", "from(\"sad\")"),
            "",
        ),
    );
    let run = project.cargo_zdm(&["check"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("the transition attributes of 0002_moods have changed");
    project.write("src/models.rs", &models(RENAMED, ""));
    project.done(&["finalize"]);
    let text = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    assert_eq!(text, models(LAST, ""));
    project.done(&["check"]);
    project.write("src/models.rs", &models(RENAMED, ""));
    let run = project.cargo_zdm(&["check"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("what the variants of the enum mood take over is spent");
}

#[test]
fn what_else_names_the_old_type_is_told_before_expand() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", &models(OLD, ""));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("CREATE TABLE others (id int, moods mood[])");
    project.execute("CREATE FUNCTION worst(mood) RETURNS mood LANGUAGE sql AS 'SELECT $1'");
    project.execute("CREATE VIEW sad_ones AS SELECT 'sad'::mood AS mood");
    project.execute("CREATE DOMAIN fair AS mood CHECK (VALUE <> 'sad')");
    project.write("src/models.rs", &models(RENAMED, ""));
    project.done(&["generate", "moods"]);
    let waits = project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    for told in [
        "column others.moods names the enum mood",
        "function worst names the enum mood",
        "view sad_ones names the enum mood",
        "domain fair names the enum mood",
    ] {
        waits.says(told);
    }
    let own = "users.mood names";
    assert!(!waits.err.contains(own), "{waits:#?}");
    project.execute("DROP TABLE others");
    project.execute("DROP FUNCTION worst");
    project.execute("DROP VIEW sad_ones");
    project.execute("DROP DOMAIN fair");
    project.done(&["expand"]);
}

/// A migration takes weeks: what was made since expand would go with the old column, by its new name.
#[test]
fn what_names_a_column_is_told_before_names_are_exchanged() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", &models(OLD, ""));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users VALUES (1, 'happy'), (2, 'sad')");
    project.write("src/models.rs", &models(RENAMED, ""));
    project.done(&["generate", "moods"]);
    project.done(&["expand"]);
    project.execute("CREATE VIEW moods AS SELECT id, mood FROM users");
    project.execute("CREATE PUBLICATION told FOR TABLE users (id, mood)");
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("view moods names the column users.mood");
    waits.says("publication told names the column users.mood");
    project.execute("DROP VIEW moods");
    project.execute("DROP PUBLICATION told");
    project.done(&["switch", "--to", "complete"]);
    project.done(&["finalize"]);
    project.execute("CREATE VIEW moods AS SELECT id, mood_old FROM users");
    let waits = project.zdm(&["contract"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("view moods names the column users.mood_old");
    project.execute("DROP VIEW moods");
    project.done(&["contract"]);
}

#[test]
fn a_table_of_the_enum_waits_until_the_type_has_its_name() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", &models(OLD, ""));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users VALUES (1, 'happy'), (2, 'sad')");
    project.write("src/models.rs", &models(RENAMED, ""));
    project.done(&["generate", "moods"]);
    project.done(&["expand"]);
    project.done(&["finalize"]);
    project.write("src/models.rs", &models(LAST, PET));
    project.done(&["generate", "pets"]);
    let waits = project.zdm(&["expand", "pets"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("the enum mood is the type from before until 0002_moods gives the name to another");

    for command in [
        &["switch", "moods", "--to", "dual_write"][..],
        &["backfill", "moods"],
        &["verify", "moods"],
        &["switch", "moods", "--to", "shadow"],
        &["switch", "moods", "--to", "100%"],
        &["verify", "moods"],
        &["switch", "moods", "--to", "ramp_down"],
        &["switch", "moods", "--to", "complete"],
    ] {
        project.done(command);
    }
    project.done(&["contract", "moods"]);
    project.done(&["expand", "pets"]);
    project.execute("INSERT INTO pets SELECT id, mood FROM users");
    let moods = "SELECT string_agg(mood::text, ' ' ORDER BY id) FROM pets";
    assert_eq!(project.value(moods), "happy unhappy");
}
