//! What somebody has made by hand on a column or a type that another replaces: told before it would be left behind, or carried over.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const BEFORE: [&str; 3] = [
    "#[zdm(primary_key, auto)]\n    pub id: i32,",
    "#[zdm(index = \"pets_age\")]\n    pub age: Option<String>,",
    "#[zdm(unique, index = \"toys_name\")]\n    pub name: String,",
];
const AFTER: [&str; 3] = [
    "#[zdm(primary_key, auto, from(\"id\"), final_name = \"id\")]\n    pub id: i64,",
    "#[zdm(index = \"pets_age\", column = \"age_years\", from(\"age\"), up = \"age::integer\", down = \"age_years::text\", \
     on_invalid = \"null\", final_name = \"age\")]\n    pub age: Option<i32>,",
    "#[zdm(unique, index = \"toys_label\", renamed_from = \"name\")]\n    pub label: String,",
];

fn models([user, pet, toy]: [&str; 3]) -> String {
    format!(
        "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\n#[zdm(index(columns(name, id), name = \"by_name\"))]\n\
         pub struct User {{\n    {user}\n    pub name: String,\n}}\n\n\
         #[derive(Migratable)]\npub struct Pet {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    {pet}\n}}\n\n\
         #[derive(Migratable)]\npub struct Toy {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    {toy}\n}}\n"
    )
}

#[test]
fn what_was_made_by_hand_on_an_old_column_is_told_before_it_is_left_behind() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", &models(BEFORE));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    for made in [
        "CREATE ROLE reader",
        "CREATE INDEX some_ids ON users (id) WHERE id > 5",
        "ALTER TABLE users ADD CONSTRAINT positive CHECK (id > 0)",
        "ALTER TABLE users ADD CONSTRAINT once UNIQUE (id, name)",
        "CREATE STATISTICS told_together ON id, name FROM users",
        "CREATE INDEX by_hand ON pets (lower(age))",
        "ALTER TABLE pets ADD CONSTRAINT is_said CHECK (age <> '')",
        "GRANT SELECT (age) ON pets TO reader",
        "ALTER TABLE pets ALTER age SET STATISTICS 500",
        "CREATE INDEX \"Toy by hand\" ON toys (name text_pattern_ops)",
        "GRANT SELECT (name) ON toys TO reader WITH GRANT OPTION",
        "ALTER TABLE toys ALTER name SET STORAGE EXTERNAL, ALTER name SET (n_distinct = 9)",
        "INSERT INTO users (name) VALUES ('one')",
        "INSERT INTO pets VALUES (1, '7')",
        "INSERT INTO toys VALUES (1, 'ball')",
    ] {
        project.execute(made);
    }
    project.write("src/models.rs", &models(AFTER));
    project.done(&["generate", "others"]);
    project.done(&["advance", "--before-deploy"]);
    // Rights from before expand are rights on both.
    let label =
        "SELECT has_column_privilege('reader', 'toys', 'label', 'SELECT WITH GRANT OPTION')::text";
    assert_eq!(project.value(label), "true");
    project.execute("GRANT UPDATE (name) ON toys TO reader");
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    assert_eq!(project.stage("others"), "ramp_down");
    for told in [
        "check positive names the column users.id",
        "index some_ids names the column users.id",
        "statistics told_together names the column users.id",
        "unique constraint once names the column users.id",
        "check is_said names the column pets.age",
        "index by_hand names the column pets.age",
        "setting STATISTICS 500 names the column pets.age",
    ] {
        waits.says(told);
    }
    let told = waits.out.clone() + &waits.err;
    assert_eq!(told.matches(" names the column ").count(), 7, "{waits:#?}");

    for gone in [
        "ALTER TABLE users DROP CONSTRAINT positive, DROP CONSTRAINT once",
        "DROP STATISTICS told_together",
        "DROP INDEX some_ids, by_hand",
        "ALTER TABLE pets DROP CONSTRAINT is_said",
        "ALTER TABLE pets ALTER age SET STATISTICS -1",
    ] {
        project.execute(gone);
    }
    let reads = "SELECT has_column_privilege('reader', 'pets', 'age', 'SELECT')::text";
    for forward in [true, false, true] {
        if forward {
            project.done(&["switch", "--to", "complete"]);
        } else {
            project.done(&["rollback"]);
        }
        assert_eq!(project.value(reads), "true", "{forward}");
    }
    project.done(&["finalize"]);
    let waits = project.zdm(&["contract"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("index Toy by hand names the column toys.name");
    waits.says(
        "right UPDATE of reader names the column toys.name (zdm/raw/drop); proposed: GRANT UPDATE (label) ON toys TO reader, or REVOKE it",
    );
    waits.says("setting STORAGE EXTERNAL names the column toys.name");
    waits.says("setting (n_distinct=9) names the column toys.name");
    let told = waits.out.clone() + &waits.err;
    assert_eq!(told.matches(" names the column ").count(), 4, "{waits:#?}");
    let may_start = "SELECT (contracted_at IS NULL)::text FROM zdm.migration WHERE name = 'others'";
    assert_eq!(project.value(may_start), "true");
    project.execute("DROP INDEX \"Toy by hand\"");
    project.execute("GRANT UPDATE (label) ON toys TO reader");
    project
        .execute("ALTER TABLE toys ALTER name SET STORAGE EXTENDED, ALTER name RESET (n_distinct)");
    project.done(&["contract"]);
    assert_eq!(project.value(reads), "true");
}

/// The name that the old column has until contract is taken until then, as the one that the new column had before.
#[test]
fn the_name_of_an_old_column_is_free_once_it_is_dropped() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", &models(BEFORE));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO pets VALUES (1, '7')");
    project.write("src/models.rs", &models([BEFORE[0], AFTER[1], BEFORE[2]]));
    project.done(&["generate", "ages"]);
    project.done(&["advance", "--before-deploy"]);
    let back = project.done(&["rollback", "--dry-run"]);
    back.says("which drops the column pets.age_years; pets.age stays");
    assert!(!back.out.contains("age_old"), "{back:#?}");
    assert_eq!(project.zdm(&["advance"]).code, 4);
    project.done(&["finalize"]);
    let wider = "#[zdm(index = \"pets_age\", column = \"age_wide\", from(\"age\"), final_name = \"age\")]\n    pub age: Option<i64>,";
    project.write("src/models.rs", &models([BEFORE[0], wider, BEFORE[2]]));
    project.done(&["generate", "wider"]);
    let waits = project.zdm(&["expand", "wider"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("0002_ages still has to drop the column pets.age_old");
    project.done(&["contract", "ages"]);
    project.done(&["expand", "wider"]);
}

const MOODS: &str = "#[zdm(primary_key)]\n    pub id: i64,\n    pub mood: Mood,\n}\n\n#[derive(MigratableEnum)]\npub enum Mood {\n    Happy,\n    ";

#[test]
fn rights_on_an_enum_and_its_comment_go_over_to_the_type_that_takes_its_name() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    let models = |last: &str| {
        format!(
            "use zdm_runtime::{{Migratable, MigratableEnum}};\n\n#[derive(Migratable)]\npub struct User {{\n    {MOODS}{last},\n}}\n"
        )
    };
    project.write("src/models.rs", &models("Sad"));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    for made in [
        "CREATE ROLE reader",
        "REVOKE USAGE ON TYPE mood FROM PUBLIC",
        "GRANT USAGE ON TYPE mood TO reader",
        "COMMENT ON TYPE mood IS 'how it''s going'",
        "GRANT SELECT (mood) ON users TO reader",
        "INSERT INTO users VALUES (1, 'happy'), (2, 'sad')",
    ] {
        project.execute(made);
    }
    project.write(
        "src/models.rs",
        &models("#[zdm(renamed_from = \"sad\")]\n    Unhappy"),
    );
    project.done(&["generate", "moods"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("moods"), "complete");
    let kept = "SELECT concat_ws(' ', obj_description('mood'::regtype, 'pg_type'), has_type_privilege('reader', 'mood', 'USAGE'),
        (SELECT count(*) FROM pg_type, aclexplode(typacl) WHERE oid = 'mood'::regtype AND grantee = 0),
        has_column_privilege('reader', 'users', 'mood', 'SELECT'), max(mood)) FROM users";
    assert_eq!(project.value(kept), "how it's going t 0 t unhappy");
    project.done(&["rollback"]);
    assert_eq!(project.value(kept), "how it's going t 0 t sad");
    project.done(&["switch", "--to", "complete"]);
    project.done(&["finalize"]);
    project.done(&["contract"]);
    assert_eq!(project.value(kept), "how it's going t 0 t unhappy");
}

/// Contract takes the unique constraint away before the column: what refers to it from a table that no struct declares is told before
/// anything is there.
#[test]
fn a_foreign_key_onto_an_old_column_is_told_before_expand() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", &models(BEFORE));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("CREATE TABLE labels (toy text REFERENCES toys (name))");
    project.write("src/models.rs", &models([BEFORE[0], BEFORE[1], AFTER[2]]));
    project.done(&["generate", "labels"]);
    let waits = project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says(
        "foreign key labels_toy_fkey names the column toys.name, from labels (zdm/raw/release)",
    );
    project.execute("ALTER TABLE labels DROP CONSTRAINT labels_toy_fkey");
    project.done(&["expand"]);
}
