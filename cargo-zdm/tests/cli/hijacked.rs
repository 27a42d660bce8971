//! Functions and operators that fit what the catalogue's are called with better than these do, in a schema where everybody may create some:
//! none of them is called, with the rights of whoever runs a command, triggers or the application.

use crate::both_tables::{MERGE, SPLIT, USERS, moves, shop};
use crate::generate::{AFTER, be_hasty, user_crate};
use crate::project::Project;
use zdm_tests::postgres::Server;

/// Each is an exact match where the catalogue's takes text, or anything.
const TRAPS: &str = "DO $$ DECLARE trap text; BEGIN
    FOREACH trap IN ARRAY ARRAY['quote_ident(name)', 'format(text, name)', 'format(text, text)', 'format(text, text, text)', 'format(text, name, name)',
        'format(text, text, text, text)', 'concat_ws(text, text, text)', 'to_regclass(varchar)', 'to_regclass(name)', 'to_regnamespace(name)', 'array_to_string(text[], text)',
        'array_to_string(name[], text)', 'unnest(name[])', 'unnest(text[])', 'unnest(oid[])', 'unnest(smallint[])', 'nextval(text)', 'setval(text, bigint, boolean)',
        'replace(name, text, text)', 'quote_literal(name)', 'has_table_privilege(name, oid, varchar)', 'has_column_privilege(name, oid, smallint, varchar)',
        'pg_get_serial_sequence(text, name)', 'string_to_array(varchar, text)', 'json_build_object(text, text)', 'json_build_array(bigint)', 'to_jsonb(name)',
        'concat(text, text)', 'regexp_replace(name, text, text, text)', 'split_part(name, text, integer)', 'hashtext(varchar)', 'length(name)', 'array_append(text[], text)',
        'row_security_active(regclass)'] LOOP
        EXECUTE format('CREATE FUNCTION public.%s RETURNS text LANGUAGE plpgsql AS %L', trap, 'BEGIN RAISE EXCEPTION ''hijacked''; END');
    END LOOP;
    FOREACH trap IN ARRAY ARRAY['regclass', 'regnamespace', 'regtype'] LOOP
        EXECUTE pg_catalog.format('CREATE FUNCTION public.trap(oid, %s) RETURNS boolean LANGUAGE plpgsql AS %L', trap, 'BEGIN RAISE EXCEPTION ''hijacked''; END');
        EXECUTE pg_catalog.format('CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = %s, FUNCTION = public.trap)', trap);
        EXECUTE pg_catalog.format('CREATE OPERATOR public.<> (LEFTARG = oid, RIGHTARG = %s, FUNCTION = public.trap)', trap);
    END LOOP; END $$;";

/// The traps are good: unqualified, they are called.
#[test]
fn a_function_that_fits_better_is_called_without_a_schema() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    project.execute(TRAPS);
    project.refuses("SELECT quote_ident(rolname) FROM pg_roles", "hijacked");
    project.refuses("SELECT nextval('somewhere')", "hijacked");
    project.refuses("SELECT unnest(ARRAY['a']::name[])", "hijacked");
    project.refuses(
        "SELECT 1 FROM pg_class WHERE oid = 'pg_class'::regclass",
        "hijacked",
    );
}

#[test]
fn a_split_goes_its_whole_way_and_calls_nobody_elses_function() {
    for path in ["public", "public, pg_catalog"] {
        let shop = shop(
            SPLIT,
            &format!(
                "{USERS} CREATE ROLE web LOGIN; CREATE ROLE report LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO web; GRANT SELECT (id, street) ON users TO report;
                 ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users USING (name = 'ada');
                 ALTER DATABASE shop SET search_path = {path}; {TRAPS}"
            ),
        );
        shop.project.done(&["expand"]);
        for stage in ["dual_write", "shadow", "live", "ramp_down", "complete"] {
            for command in moves(stage) {
                shop.project.done(command);
            }
            shop.may(
                "web",
                "UPDATE users SET street = street || '!' WHERE id = 1",
            );
            shop.project.done(&["status"]);
        }
        shop.project.done(&["finalize"]);
        shop.project.done(&["contract"]);
        assert_eq!(
            shop.may("report", "SELECT street FROM addresses"),
            ["s1!!!!!"]
        );
    }
}

#[test]
fn a_merge_goes_its_whole_way_and_calls_nobody_elses_function() {
    let shop = shop(
        MERGE,
        &format!(
            "INSERT INTO users VALUES (1, 'ada'); INSERT INTO addresses VALUES (1, 's1', 't1'); CREATE ROLE web LOGIN;
             GRANT SELECT, INSERT, UPDATE, DELETE ON users, addresses TO web; {TRAPS}"
        ),
    );
    shop.project.done(&["expand"]);
    for stage in ["dual_write", "shadow", "live", "ramp_down", "complete"] {
        for command in moves(stage) {
            shop.project.done(command);
        }
        shop.may(
            "web",
            "UPDATE users SET street = street || '!' WHERE id = 1",
        );
    }
    shop.project.done(&["finalize"]);
    shop.project.done(&["contract"]);
    // At the first stage the backfill has not been at the row yet.
    assert_eq!(shop.may("web", "SELECT street FROM users"), ["s1!!!!"]);
}

/// With rights on the column alone, and its triggers for other writers.
#[test]
fn a_column_is_replaced_and_nobody_elses_function_is_called() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.done(&["init"]);
    be_hasty(&project);
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let generate = "[generate]\ndual_write = \"both\"\nkeep = \"1h\"\n";
    let written = if written.contains("[generate]\n") {
        written.replacen("[generate]\n", generate, 1)
    } else {
        format!("{generate}\n{written}")
    };
    project.write("zdm.toml", &written);
    project.done(&["expand"]);
    project.execute(&format!(
        "INSERT INTO users (name) VALUES ('ada'); CREATE ROLE report LOGIN; GRANT SELECT (id, name) ON users TO report; {TRAPS}"
    ));
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "names"]);
    for command in [
        &["expand"][..],
        &["switch", "--to", "dual_write"],
        &["backfill"],
        &["verify"],
        &["switch", "--to", "shadow"],
        &["switch", "--to", "100%"],
        &["verify"],
        &["switch", "--to", "ramp_down"],
        &["switch", "--to", "complete"],
        &["finalize"],
        &["contract"],
        &["status"],
    ] {
        project.done(command);
    }
    let right = "SELECT has_column_privilege('report', 'users', 'full_name', 'SELECT')::text";
    assert_eq!(project.value(right), "true");
}
