//! `roles.sql`: a migration's whole journey under three roles, each of which may do its part and no other's.

mod shop;

use std::fs;

use zdm_runtime::CodeState;
use zdm_runtime::rights;

use crate::generate::user_crate;
use crate::project::Project;
use shop::{APP, BACKFILL, DDL, Shop};

const BEFORE: &str = r"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub age: Option<String>,
}
";

const AFTER: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
    #[zdm(column = "age_years", from("age"), up = "CAST(age AS integer)", down = "CAST(age_years AS text)",
        valid_if = "age ~ '^[0-9]{1,9}$'", on_invalid = "quarantine")]
    pub age: Option<i32>,
}
"#;

const WITH_A_TABLE_MORE: &str = r#"
#[derive(Migratable, Debug, Clone)]
pub struct Note {
    #[zdm(primary_key, auto = "serial")]
    pub id: i64,
    #[zdm(references = "users(id)")]
    pub user_id: i64,
}
"#;

const SPLIT: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable, Debug, Clone)]
#[zdm(split_from = "users(id)")]
pub struct Person {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    pub user_id: i64,
    pub age: String,
}
"#;

#[test]
fn each_role_does_its_part_of_a_journey_and_no_other() {
    let shop = Shop::with_roles(BEFORE, "approvals = 1");
    shop.project
        .execute("CREATE TABLE secret (id bigint); INSERT INTO secret VALUES (1)");
    shop.may(
        APP,
        "INSERT INTO users (name, age) VALUES ('ada', '36'), ('grace', 'unknown'), ('linus', NULL)",
    );
    bounds(&shop);

    let id = shop.generated(AFTER);
    shop.refused(BACKFILL, &["expand"]);
    shop.refused(APP, &["expand"]);
    shop.done(DDL, &["expand"]);
    // Columns that came later, the view and the function of the transition.
    shop.may(APP, "UPDATE users SET full_name = name WHERE id = 1");
    let up = format!("SELECT zdm.\"{id}_users_age_years_up\"('36')");
    shop.may(APP, &up);
    shop.serves(&id, CodeState::Transition);

    let dual_write = ["switch", "--to", "dual_write"];
    shop.refused(BACKFILL, &dual_write);
    shop.refused(APP, &dual_write);
    shop.done(DDL, &dual_write);
    shop.serves(&id, CodeState::Transition);
    shop.may(
        APP,
        "UPDATE users SET full_name = 'Ada', name = 'Ada' WHERE id = 1
         AND (SELECT epoch FROM zdm.fence WHERE table_name = 'users') = 2",
    );

    shop.refused(APP, &["backfill"]);
    shop.done(BACKFILL, &["backfill"]);
    shop.done(BACKFILL, &["quarantine", "list"]);
    shop.project
        .execute("UPDATE users SET age = '85' WHERE name = 'grace'");
    shop.done(BACKFILL, &["quarantine", "fix"]);
    shop.refused(APP, &["verify"]);
    shop.done(BACKFILL, &["verify"]);
    let quarantined = "SELECT age_years FROM users WHERE name = 'grace'";
    assert_eq!(shop.project.value(quarantined), "85");
    for stage in ["shadow", "100%", "ramp_down", "complete"] {
        let switch = ["switch", "--to", stage];
        shop.refused(BACKFILL, &switch);
        if stage == "ramp_down" {
            shop.done(BACKFILL, &["verify"]);
        }
        shop.done(DDL, &switch);
    }
    shop.project.done(&["finalize"]);
    shop.serves(&id, CodeState::Final);
    let contract = ["contract", "--actor", "bert@bastion"];
    shop.refused(BACKFILL, &contract);
    shop.refused(APP, &contract);
    assert_eq!(shop.zdm(DDL, &contract).code, 4);
    let folder = "2";
    shop.done(BACKFILL, &["approve", folder, "--actor", "anna@laptop"]);
    shop.done(DDL, &["status"])
        .says(&format!("approved by anna@laptop (role {BACKFILL})"));
    shop.done(DDL, &contract);
    assert_eq!(shop.project.stage(folder), "contracted");
    shop.may(APP, "SELECT full_name, age_years FROM users");
    shop.done(DDL, &["status", "--audit"])
        .says("the chain is whole");

    // A table that comes later, with the numbers of a sequence.
    let models = fs::read_to_string(shop.project.path("src/models.rs")).unwrap();
    shop.generated(&(models + WITH_A_TABLE_MORE));
    shop.done(DDL, &["expand"]);
    shop.may(
        APP,
        "INSERT INTO notes (user_id) SELECT id FROM users; DELETE FROM notes WHERE user_id = 2",
    );
    shop.may(
        BACKFILL,
        "SELECT * FROM notes; UPDATE notes SET user_id = 1",
    );
    shop.may_not(BACKFILL, "DELETE FROM notes");
    bounds(&shop);
}

/// What none but the named role may do.
fn bounds(shop: &Shop) {
    for role in [APP, BACKFILL] {
        for sql in [
            "UPDATE zdm.stage SET stage = 'complete', epoch = epoch + 1",
            "INSERT INTO zdm.stage SELECT * FROM zdm.stage WHERE false",
            "UPDATE zdm.migration SET contracted_at = 1",
            "UPDATE zdm.fence SET epoch = epoch + 1",
            "DELETE FROM zdm.step",
            "UPDATE zdm.meta SET version = 9",
            "UPDATE zdm.audit SET actor = ''",
            "DELETE FROM zdm.audit",
            "TRUNCATE zdm.audit",
            "CREATE TABLE zdm.mine (id bigint)",
            "CREATE TABLE public.mine (id bigint)",
            "ALTER TABLE users ADD COLUMN mine bigint",
            "CREATE INDEX mine ON users (id)",
            "DROP TABLE users",
            "TRUNCATE users",
            "SELECT * FROM secret",
            "CREATE ROLE mine",
        ] {
            shop.may_not(role, sql);
        }
    }
    for sql in [
        "SELECT * FROM zdm.audit",
        "INSERT INTO zdm.audit (recorded_at, actor, migration, action, outcome, duration_ms, detail) VALUES (0, '', '', '', '', 0, '')",
        "SELECT * FROM zdm.quarantine",
        "SELECT * FROM zdm.chunk",
        "INSERT INTO zdm.operator VALUES ('', '', 0, 0)",
        "UPDATE zdm.meta SET audit_entries = 0",
    ] {
        shop.may_not(APP, sql);
    }
    for sql in [
        "DELETE FROM users",
        "INSERT INTO users DEFAULT VALUES",
        "DELETE FROM zdm.quarantine",
        "UPDATE zdm.instance SET lease_until = 0",
        "DELETE FROM zdm.operator",
    ] {
        shop.may_not(BACKFILL, sql);
    }
    for sql in [
        "SELECT * FROM secret",
        "CREATE ROLE mine",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
    ] {
        shop.may_not(DDL, sql);
    }
}

/// A backfill between tables makes and takes away rows, also by way of the triggers.
#[test]
fn columns_move_under_the_roles() {
    let shop = Shop::with_roles(BEFORE, "");
    shop.may(
        APP,
        "INSERT INTO users (name, age) VALUES ('ada', '36'), ('grace', '85')",
    );
    shop.generated(SPLIT);
    shop.done(DDL, &["expand"]);
    shop.run_as(DDL, &shop.roles()).unwrap();
    shop.done(DDL, &["switch", "--to", "dual_write"]);
    shop.may(APP, "UPDATE users SET age = '37' WHERE name = 'ada'");
    shop.done(BACKFILL, &["backfill"]);
    shop.done(BACKFILL, &["verify"]);
    shop.may(APP, "DELETE FROM users WHERE name = 'grace'");
    assert_eq!(
        shop.project
            .value("SELECT string_agg(age, ',') FROM persons"),
        "37"
    );
    shop.done(DDL, &["switch", "--to", "shadow"]);
}

/// Rows that a policy hides from the role would count as filled, and be lost with the old column.
#[test]
fn a_backfill_passes_over_no_row_that_a_policy_hides() {
    let shop = Shop::with_roles(BEFORE, "");
    shop.may(APP, "INSERT INTO users (name) VALUES ('ada'), ('grace')");
    shop.generated(AFTER);
    shop.done(DDL, &["expand"]);
    shop.done(DDL, &["switch", "--to", "dual_write"]);
    shop.project.execute(&format!(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users TO {BACKFILL} USING (name = 'ada')"
    ));
    for command in ["backfill", "verify"] {
        let run = shop.zdm(BACKFILL, &[command]);
        assert_ne!(run.code, 0, "{command}: {run:#?}");
    }
    let run = shop.zdm(BACKFILL, &["backfill"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("row-level security");
    shop.done(DDL, &["backfill"]);
    shop.done(DDL, &["verify"]);
    let filled = "SELECT count(*) FROM users WHERE full_name = name";
    assert_eq!(shop.project.value(filled), "2");
}

/// Tables that are there already go over to the role that changes them, and nothing stops for that.
#[test]
fn what_ran_as_the_owner_runs_on() {
    let shop = Shop::new(&(BEFORE.replace("auto)", "auto = \"serial\")") + WITH_A_TABLE_MORE));
    shop.project.execute(
        "CREATE ROLE legacy LOGIN; GRANT CREATE ON SCHEMA public TO legacy; SET ROLE legacy;
         CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, age text);
         CREATE TABLE notes (id bigserial PRIMARY KEY, user_id bigint NOT NULL CONSTRAINT notes_user_id_fkey REFERENCES users (id));
         ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
         CREATE VIEW keys AS SELECT id FROM users; CREATE TABLE untold (id bigint)",
    );
    shop.project.done(&["init", "--baseline"]);
    shop.policy("");
    // Whoever expanded before there were roles.
    shop.project.done(&["expand"]);
    shop.project.execute(
        "CREATE SEQUENCE zdm.counted; CREATE FUNCTION zdm.asked() RETURNS bigint LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION zdm.acts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NULL; END';
         ALTER FUNCTION zdm.acts() OWNER TO legacy; CREATE TRIGGER acts AFTER DELETE ON notes EXECUTE FUNCTION zdm.acts()",
    );
    shop.project.execute(&shop.roles());
    shop.run_as(DDL, &shop.roles()).unwrap_err();
    assert_eq!(
        shop.project.value(
            "SELECT concat_ws(' ', (SELECT relowner::regrole FROM pg_class WHERE oid = 'zdm.counted'::regclass),
                'zdm.asked'::regproc, (SELECT proowner::regrole FROM pg_proc WHERE oid = 'zdm.asked'::regproc))"
        ),
        format!("{DDL} zdm.asked {DDL}")
    );
    // It acts for a table that stays.
    let acts = "SELECT proowner::regrole::text FROM pg_proc WHERE oid = 'zdm.acts'::regproc";
    assert_eq!(shop.project.value(acts), "legacy");
    let owner = |table: &str| {
        shop.project.value(&format!(
            "SELECT relowner::regrole::text FROM pg_class WHERE oid = '{table}'::regclass"
        ))
    };
    assert_eq!(owner("users"), DDL);
    assert_eq!(owner("zdm.stage"), DDL);
    assert_eq!(owner("untold"), "legacy");
    // Row security does not apply to an owner: who is one no more would miss rows without a word.
    assert_eq!(owner("notes"), "legacy");
    shop.may(
        "legacy",
        "INSERT INTO users (name) VALUES ('ada'); INSERT INTO notes (user_id) SELECT id FROM keys",
    );
    assert_eq!(shop.project.value("SELECT count(*) FROM notes"), "1");
    shop.project.execute("ALTER TABLE notes OWNER TO shop_ddl");
    shop.project.execute(&shop.roles());
    assert_eq!(shop.project.value(acts), DDL);
    shop.run_as(DDL, &shop.roles()).unwrap();
    shop.may(APP, "INSERT INTO users (name) VALUES ('grace')");
    let models = AFTER.replace("auto)", "auto = \"serial\")") + WITH_A_TABLE_MORE;
    shop.generated(&models);
    shop.done(DDL, &["expand"]);
    shop.done(DDL, &["status"]);
    shop.may("legacy", "UPDATE users SET name = 'Ada'");
}

#[test]
fn names_of_roles_and_tables_are_quoted_whatever_they_are() {
    let shop = Shop::new(&BEFORE.replace(
        "pub struct User",
        "#[zdm(table = \"Order's \\\"list\\\"\")]\npub struct User",
    ));
    shop.project.done(&["init"]);
    let config = fs::read_to_string(shop.project.path("zdm.toml")).unwrap();
    let named = "[database.roles]\napplication = 'the \"app\"'\nbackfill = \"user\"\nddl = \"Owner's; DROP\"\n\n[generate]";
    shop.project
        .write("zdm.toml", &config.replace("[generate]", named));
    let check = shop.project.zdm(&["check", "--format", "json"]);
    assert_eq!(check.code, 1, "{check:#?}");
    let finding = &check.object()["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["place"]),
        (&"stale".into(), &"zdm/roles.sql".into())
    );
    shop.project.done(&["generate"]);
    shop.project.done(&["check"]);
    shop.project.execute(&shop.roles());
    shop.project.done(&["expand"]);
    shop.project.execute(&shop.roles());
    let able = "SELECT count(*) FROM pg_class c, unnest(ARRAY['the \"app\"', 'user', 'Owner''s; DROP']) AS r (name)
        WHERE relname = 'Order''s \"list\"' AND has_table_privilege(r.name, c.oid, 'SELECT, UPDATE')";
    assert_eq!(shop.project.value(able), "3");

    fs::remove_file(shop.project.path("zdm/roles.sql")).unwrap();
    let check = shop.project.zdm(&["check", "--format", "json"]);
    assert_eq!(check.object()["findings"][0]["kind"], "missing");
    for (roles, words) in [
        ("application = \"a\"\nddl = \"a\"", "the name of two roles"),
        ("application = \"pg_mine\"", "is no name for a role"),
        (
            &format!("backfill = \"{}\"", "x".repeat(64)),
            "is no name for a role",
        ),
    ] {
        let text = config.replace(
            "[generate]",
            &format!("[database.roles]\n{roles}\n\n[generate]"),
        );
        shop.project.write("zdm.toml", &text);
        let run = shop.project.zdm(&["generate"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says(words);
        assert!(!shop.project.path("zdm/roles.sql").exists());
    }
}

#[test]
fn sqlite_has_no_roles_and_says_so() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    assert!(!project.path("zdm/roles.sql").exists());
    project.done(&["check"]);
    let config = fs::read_to_string(project.path("zdm.toml")).unwrap();
    let named = config.replace("[generate]", "[database.roles]\nddl = \"x\"\n\n[generate]");
    project.write("zdm.toml", &named);
    for command in ["generate", "check"] {
        let run = project.zdm(&[command]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("SQLite has no roles");
    }
}

/// The lists of rights name control tables that are there.
#[test]
fn every_right_is_on_a_table_that_is_there() {
    let shop = Shop::with_roles(BEFORE, "");
    for (table, _) in rights::APPLICATION.iter().chain(&rights::BACKFILL) {
        let there = format!("SELECT count(*) FROM pg_class WHERE oid = to_regclass('zdm.{table}')");
        assert_eq!(shop.project.value(&there), "1", "{table}");
    }
}
