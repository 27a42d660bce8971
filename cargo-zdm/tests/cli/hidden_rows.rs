//! Columns that move between tables of which row security shows each role its own rows: what was hidden stays hidden, in whichever table
//! it is, and no write is lost because it cannot reach a row.

use crate::both_tables::{MOVE, SPLIT, USERS, moves, shop};

const SECURED: &str = "CREATE ROLE ada LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE judge LOGIN BYPASSRLS;
    GRANT SELECT, INSERT, UPDATE, DELETE ON users TO ada, bob, judge;
    ALTER ROLE ada SET app.tenant = 'ada'; ALTER ROLE bob SET app.tenant = 'bob'; ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users USING (name = current_setting('app.tenant', true)) WITH CHECK (name = current_setting('app.tenant', true));";

#[test]
fn rows_that_row_security_hides_stay_hidden_where_their_columns_go() {
    let shop = shop(SPLIT, &format!("{USERS} {SECURED}"));
    shop.project.done(&["expand"]);
    // What shows a row there shows its row here, and no gate is shut.
    let policies = "SELECT string_agg(concat_ws(' ', policyname, cmd, roles, relrowsecurity), ', ') FROM pg_policies JOIN pg_class ON relname = tablename WHERE tablename = 'addresses'";
    assert_eq!(shop.project.value(policies), "row_of_users ALL {public} t");
    for stage in ["dual_write", "shadow", "live", "ramp_down", "complete"] {
        for command in moves(stage) {
            shop.project.done(command);
        }
        let both = |role: &str| {
            let old = shop.may(role, "SELECT street FROM users WHERE street IS NOT NULL");
            let new = shop.may(role, "SELECT street FROM addresses");
            (old, new)
        };
        let of = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        if stage != "dual_write" {
            assert_eq!(both("ada"), (of(&["s1"]), of(&["s1"])), "{stage}");
            assert_eq!(both("bob"), (of(&["s2"]), of(&["s2"])), "{stage}");
            assert_eq!(
                both("judge"),
                (of(&["s1", "s2"]), of(&["s1", "s2"])),
                "{stage}"
            );
        }
        // Her own row, there and back, by old code and by new.
        shop.may("ada", "UPDATE users SET street = 's3' WHERE id = 3");
        shop.may(
            "ada",
            "UPDATE addresses SET town = 'there' WHERE user_id = 3",
        );
        assert_eq!(
            shop.may("ada", "SELECT city FROM users WHERE id = 3"),
            ["there"]
        );
        shop.may(
            "ada",
            "UPDATE users SET street = NULL, city = NULL WHERE id = 3",
        );
        shop.may("ada", "INSERT INTO addresses VALUES (3, 'here', NULL)");
        shop.may("ada", "DELETE FROM addresses WHERE user_id = 3");
        shop.may("ada", "INSERT INTO users VALUES (4, 'ada', 's4', NULL)");
        shop.may("ada", "DELETE FROM users WHERE id = 4");
        // And his, of which she neither sees nor changes anything.
        shop.may("ada", "UPDATE users SET street = 'taken'");
        shop.may(
            "ada",
            "UPDATE addresses SET street = 's1' WHERE user_id = 1",
        );
        shop.may(
            "ada",
            "UPDATE addresses SET street = 'taken' WHERE user_id = 2",
        );
        shop.may("ada", "DELETE FROM addresses WHERE user_id = 2");
        shop.may_not("ada", "INSERT INTO addresses VALUES (2, 'taken', NULL)");
        shop.may(
            "ada",
            "UPDATE users SET street = NULL, city = NULL WHERE id = 3",
        );
        let kept = "SELECT string_agg(concat(id, u.street, a.street), ' ' ORDER BY id) FROM users u LEFT JOIN addresses a ON a.user_id = id";
        let expected = if stage == "dual_write" {
            "1s1s1 2s2 3"
        } else {
            "1s1s1 2s2s2 3"
        };
        assert_eq!(shop.project.value(kept), expected, "{stage}");
        shop.project
            .execute("UPDATE users SET street = 's1' WHERE id = 1");
    }
    shop.project.done(&["finalize"]);
    shop.project.done(&["contract"]);
    assert_eq!(shop.may("ada", "SELECT street FROM addresses"), ["s1"]);
    assert_eq!(shop.may("bob", "SELECT street FROM addresses"), ["s2"]);
}

#[test]
fn a_writer_whom_no_policy_lets_through_is_named_before_his_writes_are_refused() {
    let shop = shop(SPLIT, &format!("{USERS} {SECURED}"));
    shop.project.done(&["expand"]);
    shop.project.execute(
        "DROP POLICY row_of_users ON addresses;
         CREATE POLICY seen ON addresses FOR SELECT USING (EXISTS (SELECT FROM users WHERE id = user_id));
         CREATE POLICY bobs ON addresses TO bob USING (EXISTS (SELECT FROM users WHERE id = user_id))",
    );
    let given = shop.opened(
        &["switch", "--to", "dual_write"],
        "row_security_on_both_tables",
    );
    assert_eq!(given.len(), 3, "{given:#?}");
    assert!(
        given.iter().all(|line| line.contains(" TO ada ")),
        "{given:#?}"
    );
    shop.project.done(&["switch", "--to", "dual_write"]);
    for role in ["ada", "bob"] {
        let id = if role == "ada" { 1 } else { 2 };
        shop.may(
            role,
            &format!("UPDATE users SET street = 'new' WHERE id = {id}"),
        );
        shop.may(
            role,
            &format!("UPDATE addresses SET town = 'new' WHERE user_id = {id}"),
        );
        shop.may(
            role,
            &format!("UPDATE users SET street = NULL, city = NULL WHERE id = {id}"),
        );
    }
}

/// Into a table whose policies somebody has to write: nothing is proposed that would hide rows which were to be seen.
#[test]
fn columns_do_not_come_out_of_a_protected_table_into_one_that_shows_every_row() {
    let shop = shop(
        MOVE,
        "INSERT INTO users VALUES (1, 'ada'), (2, 'bob'); INSERT INTO addresses VALUES (1, 's1', 't1'), (2, 's2', 't2');
         CREATE ROLE ada LOGIN; GRANT SELECT, UPDATE ON users, addresses TO ada;
         ALTER TABLE addresses ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON addresses USING (street = 's1')",
    );
    let waits = shop.project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("row security decides who sees which rows of addresses, and users has none");
    waits.says("-- on addresses: own FOR ALL TO public USING ((street = 's1'::text))");
    shop.project.execute(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users FOR SELECT USING (name = current_user)",
    );
    let waits = shop.project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("row security of users applies to ada, and no policy lets it UPDATE there, which its reads and writes of addresses lead to");
    shop.project
        .execute("CREATE POLICY changed ON users FOR UPDATE USING (name = current_user)");
    shop.project.done(&["expand"]);
    shop.may("ada", "UPDATE addresses SET town = 'new' WHERE user_id = 1");
    assert_eq!(shop.may("ada", "SELECT city FROM users"), ["new"]);
    shop.project
        .execute("ALTER POLICY own ON addresses USING (true)");
    // The one table shows her a row that the other hides: nothing is lost unseen.
    let refused = shop.may_not(
        "ada",
        "UPDATE addresses SET town = 'lost' WHERE user_id = 2",
    );
    assert!(
        refused.contains("row security hides rows of users or addresses"),
        "{refused}"
    );
}

/// In the earlier of two schemas somebody else's view would be taken for the table, by a function with its maker's rights.
#[test]
fn two_tables_in_schemas_that_nobody_names_get_no_trigger_that_sees_every_row() {
    let elsewhere =
        "CREATE SCHEMA earlier; CREATE SCHEMA later; ALTER TABLE users SET SCHEMA later;
        ALTER DATABASE shop SET search_path = earlier, later;";
    let shop = shop(SPLIT, &format!("{USERS} {elsewhere}"));
    shop.project.done(&["expand"]);
    let refused = shop.project.zdm(&["switch", "--to", "dual_write"]);
    assert_eq!(refused.code, 3, "{refused:#?}");
    refused.says("the tables users and addresses are in several schemas");
    refused.says("Name the schemas in the structs");
    assert_eq!(shop.project.stage("moved"), "off");
    let triggers = "SELECT count(*)::text FROM pg_trigger WHERE tgname LIKE 'zdm%'";
    assert_eq!(shop.project.value(triggers), "0");
    shop.project.done(&["rollback", "moved", "--to", "absent"]);
}
