//! What goes along to a table that is split off: the same rights on the same columns, its owner, and row security where it says the same;
//! nothing else, and what a person has to say is asked for.

use zdm_tests::postgres::Server;

use crate::both_tables::{SPLIT, Shop, USERS, moves, shop};
use crate::generate::{be_hasty, user_crate};
use crate::project::Project;
use crate::split::forward;

/// For each role what it may do with the columns, there and here, where the two differ.
const DIFFERS: &str = "SELECT coalesce(string_agg(concat_ws(' ', role, verb, there), ', ' ORDER BY role, verb, there), '') FROM (
        SELECT rolname AS role FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^pg_' UNION ALL SELECT 'public') AS roles,
    (VALUES ('id', 'user_id'), ('street', 'street'), ('city', 'town')) AS moved (there, here), (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS verbs (verb)
    WHERE has_column_privilege(role, 'users', there, verb) <> has_column_privilege(role, 'addresses', here, verb)";
const DELETES: &str = "SELECT coalesce(string_agg(rolname, ' ' ORDER BY rolname), '') FROM pg_roles
    WHERE has_table_privilege(rolname, 'users', 'DELETE') <> has_table_privilege(rolname, 'addresses', 'DELETE')";
const ADDRESSES: &str = "SELECT concat_ws(' ', relowner::regrole, relrowsecurity, relforcerowsecurity, (SELECT string_agg(policyname, ' ') FROM pg_policies WHERE tablename = 'addresses'))
    FROM pg_class WHERE oid = 'addresses'::regclass";

#[test]
fn the_same_rights_are_on_the_same_columns_of_the_new_table_and_no_other() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE web LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE changer LOGIN; CREATE ROLE narrow LOGIN; CREATE ROLE wide LOGIN;
             CREATE ROLE giver LOGIN; CREATE ROLE janitor LOGIN; CREATE ROLE keys LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE keeper;
             GRANT ALL ON users TO web; GRANT SELECT ON users TO reader; GRANT SELECT, UPDATE ON users TO changer;
             GRANT SELECT (id, street), UPDATE (street) ON users TO narrow;
             GRANT SELECT (id, street, city, name), INSERT (id, street, city, name), UPDATE (id, street, city) ON users TO wide;
             GRANT SELECT ON users TO giver WITH GRANT OPTION; GRANT SELECT (id), DELETE ON users TO janitor;
             GRANT SELECT (id, name), INSERT (id, name), UPDATE (name) ON users TO keys;
             GRANT CREATE ON SCHEMA public TO keeper; ALTER TABLE users OWNER TO keeper"
        ),
    );
    shop.project.done(&["expand"]);
    shop.project.done(&["rollback", "moved", "--to", "absent"]);
    shop.project.done(&["expand"]);
    // That there is a row is no news for those who could not read whether there is a value.
    assert_eq!(
        shop.project.value(DIFFERS),
        "janitor SELECT id, keys INSERT id, keys SELECT id"
    );
    assert_eq!(shop.project.value(DELETES), "janitor");
    assert_eq!(shop.project.value(ADDRESSES), "keeper f f");
    let more = "SELECT string_agg(concat_ws(' ', grantee, privilege_type, is_grantable), ', ' ORDER BY 1) FROM information_schema.role_table_grants
        WHERE table_name = 'addresses' AND grantee <> 'keeper' AND (is_grantable = 'YES' OR privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))";
    assert_eq!(
        shop.project
            .value(&format!("SELECT coalesce(({more}), 'none')")),
        "none"
    );
}

#[test]
fn everybody_may_read_what_everybody_might_read() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE web LOGIN; GRANT SELECT (id, city) ON users TO PUBLIC; GRANT SELECT (street) ON users TO web"
        ),
    );
    shop.project.done(&["expand"]);
    assert_eq!(shop.project.value(DIFFERS), "");
    // No gate is shut: nobody else writes.
    for stage in ["dual_write", "shadow", "live"] {
        for command in moves(stage) {
            shop.project.done(command);
        }
    }
    assert_eq!(
        shop.may("web", "SELECT street FROM addresses WHERE town = 'c1'"),
        ["s1"]
    );
}

/// Deletes go on in the name of the new table's owner, who has to reach it.
#[test]
fn an_owner_that_cannot_name_the_schema_does_not_get_the_new_table() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE keeper; CREATE ROLE web LOGIN; GRANT ALL ON users TO web; ALTER TABLE users OWNER TO keeper;
             REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO web"
        ),
    );
    shop.project.done(&["expand"]);
    assert_eq!(shop.project.value(ADDRESSES), "owner f f");
    shop.may("web", "DELETE FROM users WHERE id = 3");
    assert_eq!(shop.project.value("SELECT count(*) FROM users"), "2");
}

/// `citext` says itself what is equal, so that a policy by the database's own equality would hide rows.
#[test]
fn no_policy_compares_a_key_that_has_an_equality_of_its_own() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    project.execute("CREATE EXTENSION citext");
    user_crate(&project);
    let key = |name: &str, more: &str| {
        format!("    #[zdm(primary_key, sql_type = \"citext\"{more})]\n    pub {name}: String,\n")
    };
    let head = "use zdm_runtime::Migratable;\n#[derive(Migratable)]\npub struct User {\n";
    let (id, name) = (key("id", ""), "    pub name: String,\n");
    let before = format!("{head}{id}{name}    pub street: Option<String>,\n}}\n");
    project.write("src/models.rs", &before);
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users USING (name = current_user)");
    let part = key(
        "user_id",
        ", references = \"users(id)\", on_delete = \"cascade\"",
    );
    let after = format!(
        "{head}{id}{name}}}\n#[derive(Migratable)]\n#[zdm(table = \"addresses\", split_from = \"users(id)\")]\npub struct Address {{\n{part}    pub street: String,\n}}\n"
    );
    project.write("src/models.rs", &after);
    project.done(&["generate", "moved"]);
    project.done(&["expand"]);
    assert_eq!(project.value(ADDRESSES), "owner t f");
}

#[test]
fn an_owner_that_may_own_nothing_there_has_the_same_rights_all_the_same() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE keeper LOGIN; CREATE ROLE ddl LOGIN IN ROLE keeper; ALTER TABLE users OWNER TO keeper;
             ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users USING (name = current_user);
             REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO ddl;
             ALTER SCHEMA zdm OWNER TO ddl; DO $$ DECLARE name text; BEGIN FOR name IN SELECT oid::regclass FROM pg_class
                WHERE relnamespace = 'zdm'::regnamespace AND relkind IN ('r', 'v') LOOP EXECUTE 'ALTER TABLE ' || name || ' OWNER TO ddl'; END LOOP; END $$"
        ),
    );
    let as_ddl = shop.url_of("ddl");
    shop.project.done(&["expand", "--database-url", &as_ddl]);
    assert_eq!(shop.project.value(ADDRESSES), "ddl t f");
    assert_eq!(shop.project.value(DIFFERS), "");
    let switch = ["switch", "--to", "dual_write"];
    let shut = shop.project.zdm(&switch);
    shut.says("row security of addresses applies to keeper, and that of users does not");
    let opened = shop.opened(&switch, "row_security_on_both_tables");
    assert_eq!(
        opened,
        [
            "GRANT CREATE ON SCHEMA public TO keeper;",
            "ALTER TABLE \"addresses\" OWNER TO keeper;"
        ]
    );
    let shown = shop.project.zdm(&[&switch[..], &["--dry-run"]].concat());
    shown.says("open  row_security_on_both_tables");
    shown.says("open  rights_on_both_tables");
    shop.project
        .execute("REVOKE CREATE ON SCHEMA public FROM keeper");
    shop.project.done(&[
        "rollback",
        "moved",
        "--to",
        "absent",
        "--database-url",
        &as_ddl,
    ]);
    shop.project
        .execute("GRANT CREATE ON SCHEMA public TO keeper");
    shop.project.done(&["expand", "--database-url", &as_ddl]);
    assert_eq!(shop.project.value(ADDRESSES), "keeper t f row_of_users");
    // Who made it may take it away again, and lays its triggers.
    shop.project.done(&[
        "rollback",
        "moved",
        "--to",
        "absent",
        "--database-url",
        &as_ddl,
    ]);
    shop.project.done(&["expand", "--database-url", &as_ddl]);
    shop.project
        .done(&["switch", "--to", "dual_write", "--database-url", &as_ddl]);
}

fn secured(policies: &str) -> Shop {
    shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE ada LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO ada; ALTER TABLE users ENABLE ROW LEVEL SECURITY; {policies}"
        ),
    )
}

#[test]
fn policies_that_say_another_thing_of_writing_are_left_to_a_person() {
    for policies in [
        "CREATE POLICY own ON users USING (name = current_user); CREATE POLICY kept ON users AS RESTRICTIVE FOR UPDATE USING (id <> 3)",
        "CREATE POLICY own ON users USING (name = current_user) WITH CHECK (name = current_user AND id <> 3)",
    ] {
        let shop = secured(policies);
        shop.project.done(&["expand"]);
        assert!(
            shop.project.value(ADDRESSES).ends_with(" t f"),
            "{policies}"
        );
        let shut = shop.project.zdm(&["switch", "--to", "dual_write"]);
        assert_eq!(shut.code, 4, "{shut:#?}");
        shut.says("row security of addresses applies to ada, and no policy lets it SELECT, INSERT, UPDATE, DELETE there");
        shut.says("-- on users: own FOR ALL TO public USING");
        shut.says("CREATE POLICY \"ada_select\" ON \"addresses\" FOR SELECT TO ada USING (EXISTS (SELECT FROM \"users\"");
        shut.says("-- CREATE POLICY … ON \"addresses\" FOR UPDATE TO ada …: say for which rows");
        assert_eq!(shop.may("ada", "SELECT street FROM addresses"), [""; 0]);
        shop.may_not("ada", "INSERT INTO addresses VALUES (1, 'x', NULL)");
        // As the person says it.
        shop.project.execute(
            "CREATE POLICY seen ON addresses FOR SELECT USING (EXISTS (SELECT FROM users WHERE id = user_id));
             CREATE POLICY written ON addresses USING (user_id <> 3 AND EXISTS (SELECT FROM users WHERE id = user_id))",
        );
        shop.project.done(&["switch", "--to", "dual_write"]);
        shop.may("ada", "UPDATE users SET street = 'new' WHERE id = 1");
        assert_eq!(shop.may("ada", "SELECT street FROM addresses"), ["new"]);
        shop.may_not("ada", "INSERT INTO addresses VALUES (3, 'x', NULL)");
    }
}

#[test]
fn a_policy_about_what_moves_is_left_to_a_person() {
    for policy in ["street <> 'secret' OR street IS NULL", "users IS NOT NULL"] {
        let shop = secured(&format!("CREATE POLICY own ON users USING ({policy})"));
        // Somebody has said what comes of it before the columns go.
        std::fs::create_dir_all(shop.project.path("zdm/raw/drop")).unwrap();
        shop.project.write(
            "zdm/raw/drop/before_policy.up.sql",
            "-- irreversible: the column is gone\nDROP POLICY own ON users;\n",
        );
        shop.project.done(&["generate", "--amend"]);
        shop.project.done(&["expand"]);
        assert!(shop.project.value(ADDRESSES).ends_with(" t f"), "{policy}");
    }
}

#[test]
fn restrictive_policies_and_those_of_one_role_are_asked_as_they_are() {
    let shop = secured(
        "CREATE ROLE guest LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO guest; CREATE ROLE judge LOGIN BYPASSRLS; GRANT SELECT ON users TO judge;
         CREATE POLICY own ON users TO ada USING (name = current_user); CREATE POLICY kept ON users AS RESTRICTIVE TO ada USING (id <> 3)",
    );
    shop.project.done(&["expand"]);
    for command in [moves("dual_write")[0], moves("shadow")[0]] {
        shop.project.done(command);
    }
    let there = "SELECT street FROM users WHERE street IS NOT NULL";
    for role in ["ada", "guest", "judge"] {
        assert_eq!(
            shop.may(role, there),
            shop.may(role, "SELECT street FROM addresses"),
            "{role}"
        );
    }
    assert_eq!(shop.may("guest", "SELECT street FROM addresses"), [""; 0]);
    assert_eq!(
        shop.may("judge", "SELECT street FROM addresses"),
        ["s1", "s2"]
    );
    shop.may_not("ada", "INSERT INTO addresses VALUES (3, 'x', NULL)");
}

#[test]
fn policies_that_change_on_the_way_keep_the_next_stage_from_coming() {
    let shop = secured("CREATE POLICY own ON users USING (name = current_user)");
    shop.project.done(&["expand"]);
    shop.project.done(&["switch", "--to", "dual_write"]);
    shop.project.done(&["backfill"]);
    shop.project.done(&["verify"]);
    shop.project
        .execute("CREATE POLICY looks ON users FOR SELECT USING (true)");
    let opened = shop.opened(&["switch", "--to", "shadow"], "row_security_on_both_tables");
    assert_eq!(
        opened,
        [
            "DROP POLICY \"row_of_users\" ON \"addresses\";",
            "CREATE POLICY \"row_of_users\" ON \"addresses\" FOR SELECT USING (EXISTS (SELECT FROM \"users\" WHERE \"users\".\"id\" = \"addresses\".\"user_id\"));",
        ]
    );
    shop.may(
        "ada",
        "UPDATE addresses SET street = 'taken' WHERE user_id = 2",
    );
    assert_eq!(
        shop.may("ada", "SELECT street FROM addresses"),
        ["s1", "s2"]
    );
    let shut = shop.project.zdm(&["switch", "--to", "shadow"]);
    shut.says("no policy lets it INSERT, UPDATE, DELETE there");
    shop.project.execute("CREATE POLICY own ON addresses USING (EXISTS (SELECT FROM users WHERE id = user_id AND name = current_user))");
    shop.project.done(&["switch", "--to", "shadow"]);
}

/// Until contract people see the columns in the old table, and after it in the new one alone.
#[test]
fn row_security_that_comes_at_complete_keeps_the_columns_from_going() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE ada LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO ada"
        ),
    );
    forward(&shop.project, "complete");
    shop.project.done(&["finalize"]);
    shop.project
        .execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users USING (name = current_user)");
    let shut = shop.project.zdm(&["contract", "--dry-run"]);
    shut.says("shut  row_security_on_both_tables");
    let opened = shop.opened(&["contract"], "row_security_on_both_tables");
    assert_eq!(
        opened,
        [
            "ALTER TABLE \"addresses\" ENABLE ROW LEVEL SECURITY;",
            "CREATE POLICY \"row_of_users\" ON \"addresses\" USING (EXISTS (SELECT FROM \"users\" WHERE \"users\".\"id\" = \"addresses\".\"user_id\"));",
        ]
    );
    shop.project.done(&["contract"]);
    assert_eq!(shop.may("ada", "SELECT street FROM addresses"), ["s1"]);
}

/// As a gate has proposed it before, or with more to it.
#[test]
fn a_policy_of_that_name_in_files_of_the_users_own_is_the_only_one() {
    for (policy, seen) in [
        (
            "CREATE POLICY \"row_of_users\" ON \"addresses\" USING (EXISTS (SELECT FROM \"users\" WHERE \"users\".\"id\" = \"addresses\".\"user_id\"))",
            &["s1", "s3"][..],
        ),
        (
            "create policy Row_Of_Users on public.addresses using (user_id <> 3 and exists (select from users where id = user_id))",
            &["s1"],
        ),
        (
            "DROP POLICY row_of_users ON addresses; CREATE POLICY mine ON addresses USING (EXISTS (SELECT FROM users WHERE id = user_id))",
            &["s1", "s3"],
        ),
    ] {
        let shop = secured("CREATE POLICY own ON users USING (name = current_user)");
        std::fs::create_dir_all(shop.project.path("zdm/raw/expand")).unwrap();
        let up = "zdm/raw/expand/after_policy.up.sql";
        shop.project.write(
            up,
            &format!("ALTER TABLE addresses ENABLE ROW LEVEL SECURITY;\n{policy};\n"),
        );
        let down = "DROP POLICY IF EXISTS row_of_users ON addresses;\nDROP POLICY IF EXISTS mine ON addresses;\n";
        shop.project
            .write("zdm/raw/expand/after_policy.down.sql", down);
        shop.project.done(&["generate", "--amend"]);
        shop.project.done(&["expand"]);
        shop.project.done(&["rollback", "moved", "--to", "absent"]);
        shop.project.done(&["expand"]);
        let policies = "SELECT count(*) FROM pg_policies WHERE tablename = 'addresses'";
        assert_eq!(shop.project.value(policies), "1", "{policy}");
        shop.project.done(&["switch", "--to", "dual_write"]);
        shop.project.done(&["backfill"]);
        shop.project
            .execute("UPDATE users SET street = 's3' WHERE id = 3");
        assert_eq!(shop.may("ada", "SELECT street FROM addresses"), seen);
    }
}

/// Another one owns it since, who may read all of it: what is printed gives it back, also where the owner may make no table in that schema.
#[test]
fn a_table_goes_back_to_its_owner_by_what_is_printed() {
    let shop = secured(
        "CREATE POLICY own ON users USING (name = current_user); CREATE ROLE keeper LOGIN; CREATE ROLE crew; CREATE ROLE other LOGIN IN ROLE crew;
         GRANT SELECT, INSERT, UPDATE, DELETE ON users TO crew; ALTER TABLE users OWNER TO keeper;
         REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO keeper, other, ada",
    );
    shop.project.done(&["expand"]);
    shop.project
        .execute("ALTER TABLE addresses OWNER TO other; GRANT SELECT, INSERT, UPDATE, DELETE ON addresses TO keeper");
    let switch = &["switch", "--to", "dual_write"][..];
    let opened = shop.opened(switch, "row_security_on_both_tables");
    assert_eq!(
        opened,
        [
            "GRANT CREATE ON SCHEMA public TO keeper;",
            "ALTER TABLE \"addresses\" OWNER TO keeper;"
        ]
    );
    shop.project.done(switch);
    shop.may("ada", "UPDATE users SET street = 'new' WHERE id = 1");
    assert_eq!(shop.may("ada", "SELECT street FROM addresses"), ["new"]);
    shop.may("keeper", "DELETE FROM users WHERE id = 1");
}

/// Triggers compare the two tables in their maker's name, and fail where rows are hidden from him.
#[test]
fn row_security_that_is_forced_later_on_who_made_the_triggers_is_told() {
    let shop = secured(
        "CREATE POLICY own ON users USING (name = current_user); CREATE ROLE keeper LOGIN; ALTER TABLE users OWNER TO keeper; GRANT CREATE ON SCHEMA public TO keeper",
    );
    shop.project.done(&["expand"]);
    assert_eq!(shop.project.value(ADDRESSES), "keeper t f row_of_users");
    shop.project.done(&["switch", "--to", "dual_write"]);
    shop.project.execute(
        "GRANT ALL ON SCHEMA zdm TO keeper; DO $$ DECLARE name text; BEGIN FOR name IN SELECT oid::regprocedure FROM pg_proc
            WHERE pronamespace = 'zdm'::regnamespace AND prosecdef LOOP EXECUTE format('ALTER FUNCTION %s OWNER TO keeper', name); END LOOP; END $$",
    );
    let write = "UPDATE users SET street = street || '!' WHERE id = 1 RETURNING street";
    assert_eq!(shop.may("ada", write), ["s1!"]);
    shop.project.done(&["backfill"]);
    shop.project.done(&["verify"]);
    shop.project
        .execute("ALTER TABLE users FORCE ROW LEVEL SECURITY");
    shop.may_not("ada", write);
    let opened = shop.opened(&["switch", "--to", "shadow"], "row_security_on_both_tables");
    assert!(
        opened.contains(&"ALTER TABLE \"users\" NO FORCE ROW LEVEL SECURITY;".to_owned()),
        "{opened:#?}"
    );
    assert_eq!(shop.may("ada", write), ["s1!!"]);
    shop.project.done(&["switch", "--to", "shadow"]);
}

/// Of tables whose names do not say their schema too; and not for those who cannot name the table that they have rights on.
#[test]
fn a_schema_is_opened_to_those_alone_who_reach_the_other_table() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE web LOGIN; CREATE ROLE lost LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO web; GRANT SELECT, UPDATE ON users TO lost;
             REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO web; CREATE SCHEMA apart; ALTER DATABASE shop SET search_path = public, apart"
        ),
    );
    shop.project.done(&["expand"]);
    shop.project
        .execute("ALTER TABLE addresses SET SCHEMA apart");
    let switch = &["switch", "--to", "dual_write"][..];
    let given = shop.opened(switch, "rights_on_both_tables");
    assert_eq!(given, ["GRANT USAGE ON SCHEMA apart TO web;"]);
    // A view with the rights of its user names the table for him.
    shop.project.execute(
        "CREATE SCHEMA views CREATE VIEW seen WITH (security_invoker = true) AS SELECT id, name FROM users; GRANT USAGE ON SCHEMA views TO lost",
    );
    let given = shop.opened(switch, "rights_on_both_tables");
    assert_eq!(
        given,
        [
            "GRANT INSERT (\"street\", \"town\", \"user_id\"), DELETE ON \"addresses\" TO lost;",
            "GRANT USAGE ON SCHEMA public TO lost;",
            "GRANT USAGE ON SCHEMA apart TO lost;",
        ]
    );
}
