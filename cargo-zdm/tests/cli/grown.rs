//! A key that has grown, on the way back and forward again: what old has no room for, and an undo that ends in the middle.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

fn models(key: &str, child: &str) -> String {
    format!(
        "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\n#[zdm(index(columns(name, id), name = \"by_name\"))]\n\
         pub struct User {{\n    {key}\n    pub name: String,\n}}\n\n#[derive(Migratable)]\npub struct Post {{\n    \
         #[zdm(primary_key)]\n    pub id: i64,\n    {child}\n}}\n"
    )
}

const NARROW: &str = "#[zdm(primary_key, auto)]\n    pub id: i32,";
const WIDE: &str = "#[zdm(primary_key, auto, from(\"id\"), final_name = \"id\")]\n    pub id: i64,";
const OF_NARROW: &str = "#[zdm(references = \"users(id)\")]\n    pub user_id: i32,";
const OF_WIDE: &str = "#[zdm(references = \"users(id)\", from(\"user_id\"), final_name = \"user_id\")]\n    pub user_id: i64,";

/// The key has grown, and writes keep new alone.
fn grown(project: &Project, child: &str) {
    user_crate(project);
    project.write("src/models.rs", &models(NARROW, OF_NARROW));
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('one'), ('two')");
    project.execute("INSERT INTO posts (id, user_id) VALUES (1, 1)");
    project.write("src/models.rs", &models(WIDE, child));
    project.done(&["generate", "wide"]);
    project.done(&["advance", "--before-deploy"]);
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill", "--workers", "3"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("wide"), "complete");
}

/// Refused with these words before anything is changed, and nothing is held.
fn stays(project: &Project, told: &str) {
    let waits = project.zdm(&["rollback", "--to", "dual_write"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says(told);
    waits.says("stay at complete");
    assert_eq!(project.stage("wide"), "complete");
    project
        .zdm(&["rollback", "--to", "dual_write", "--dry-run"])
        .says(told);
    let held = "SELECT count(rolled_back_at)::text FROM zdm.migration";
    assert_eq!(project.value(held), "0", "a refused rollback holds");
}

#[test]
fn what_old_has_no_room_for_is_told_before_anything_is_taken_back() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    grown(&project, OF_WIDE);
    project.execute("SELECT setval('users_id_seq', 3000000000)");
    stays(
        &project,
        "the sequence public.users_id_seq of users.id has counted to 3000000000, which is no integer",
    );
    project.execute("INSERT INTO users (name) VALUES ('beyond')");
    project.execute("INSERT INTO posts (id, user_id) VALUES (2, 3000000001)");
    project.execute("SELECT setval('users_id_seq', 7)");
    stays(&project, "users.id holds 3000000001, which is no integer");
    stays(
        &project,
        "posts.user_id holds 3000000001, which is no integer",
    );
    project.execute("DELETE FROM posts WHERE user_id > 2");
    project.execute("DELETE FROM users WHERE id > 2");
    project.done(&["rollback", "--to", "dual_write"]);
    project.execute("INSERT INTO users (name) VALUES ('three')");
    assert_eq!(
        project.value("SELECT max(id)::text || ' ' || pg_typeof(max(id)) FROM users"),
        "8 integer"
    );
}

/// What each entry of the release's `down.sql` is known by.
const TAKEN_BACK: &[&str] = &[
    "INDEX CONCURRENTLY IF NOT EXISTS users_pkey_new ON users (id_old)",
    "INDEX CONCURRENTLY IF NOT EXISTS by_name_new ON users (name, id_old)",
    "DROP CONSTRAINT IF EXISTS users_id_old_not_null;",
    "ADD CONSTRAINT users_id_old_not_null",
    "VALIDATE CONSTRAINT users_id_old_not_null",
    "ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey_new",
    "DROP INDEX CONCURRENTLY IF EXISTS by_name_new",
    "VALIDATE CONSTRAINT fk_posts_user_id",
    "DROP INDEX CONCURRENTLY IF EXISTS users_pkey_new",
];

/// What clears away on the way forward again, where the exchange was not taken back.
const CLEARED: &[&str] = &[
    "DROP CONSTRAINT IF EXISTS users_id_old_not_null;",
    "VALIDATE CONSTRAINT fk_posts_user_id",
    "DROP INDEX CONCURRENTLY IF EXISTS users_pkey_new",
    "DROP INDEX CONCURRENTLY IF EXISTS by_name_new",
];

/// From now on this statement fails as a kill before it would end it.
fn fail_at(project: &Project, statement: &str) {
    project.execute("DELETE FROM ended");
    project.execute(&format!("INSERT INTO ended VALUES ('{statement}')"));
}

/// All that is there, whatever its order.
fn there(project: &Project) -> String {
    project.value(
        "SELECT string_agg(what, E'\\n' ORDER BY what) FROM (
            SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid AS what FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
            WHERE relname IN ('users', 'posts')
            UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid IN ('users'::regclass, 'posts'::regclass)
            UNION ALL SELECT attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, -1) || ' ' || attnotnull || attidentity::text
            FROM pg_attribute WHERE attrelid IN ('users'::regclass, 'posts'::regclass) AND attnum > 0 AND NOT attisdropped) found",
    )
}

#[test]
fn an_undo_that_ends_in_the_middle_leads_forward_and_back() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    grown(&project, OF_NARROW);
    let complete = there(&project);
    project.execute("CREATE TABLE ended (statement text)");
    project.execute(
        "CREATE FUNCTION end_it() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF EXISTS (SELECT 1 FROM ended WHERE current_query() LIKE '%' || statement || '%') THEN
                RAISE EXCEPTION 'ended here';
            END IF;
        END $$",
    );
    project.execute("CREATE EVENT TRIGGER end_it ON ddl_command_start EXECUTE FUNCTION end_it()");
    let back = &["rollback", "--to", "ramp_down"][..];
    let forward = &["switch", "--to", "complete"][..];
    project.done(back);
    let before = there(&project);
    project.done(forward);
    for statement in TAKEN_BACK {
        // Forward from there.
        fails(&project, back, statement);
        project.done(forward);
        assert_eq!(there(&project), complete, "forward from {statement}");
        project.execute("INSERT INTO users (id, name) VALUES (3000000000, 'beyond')");
        project.execute("DELETE FROM users WHERE id = 3000000000");
        // Back from there.
        fails(&project, back, statement);
        project.done(back);
        assert_eq!(there(&project), before, "back from {statement}");
        project.done(forward);
        assert_eq!(there(&project), complete, "after {statement}");
    }
    for statement in CLEARED {
        for (last, expected) in [(forward, &complete), (back, &before)] {
            fails(&project, back, TAKEN_BACK[5]);
            fails(&project, forward, statement);
            project.done(last);
            assert_eq!(there(&project), *expected, "{last:?} from {statement}");
            project.done(forward);
        }
    }
    assert_eq!(there(&project), complete);
}

fn fails(project: &Project, command: &[&str], statement: &str) {
    fail_at(project, statement);
    let ended = project.zdm(command);
    project.execute("DELETE FROM ended");
    assert_eq!(ended.code, 3, "{statement}: {ended:#?}");
    ended.says("ended here");
    if command.first() == Some(&"rollback") {
        ended.says("`cargo zdm switch --to complete wide`");
    }
    assert_eq!(project.stage("wide"), "ramp_down");
}
