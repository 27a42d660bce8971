//! Columns that move between tables, for those who write by another's rights: through a view, whose owner the server asks while triggers act in the
//! name of whoever writes; in a function SECURITY DEFINER, whose owner is the one in whose name they act; and where a foreign key is checked in
//! the name of a table's owner.

use crate::both_tables::{MERGE, SPLIT, Shop, USERS, shop};

const SWITCH: &[&str] = &["switch", "--to", "dual_write"];
const GATE: &str = "rights_on_both_tables";

fn is_from(shop: &Shop, major: u32) -> bool {
    let version = shop.project.value("SHOW server_version_num");
    version.parse::<u32>().unwrap() >= major * 10_000
}

/// From PostgreSQL 18 on what follows a foreign key is in the name of whom it acts for; before, of whoever wrote.
fn triggers_follow(shop: &Shop) -> bool {
    is_from(shop, 18)
}

/// `moved` means the same in both.
fn same(shop: &Shop, id: i64, street: &str) {
    let both = format!(
        "SELECT u.street || '|' || a.street FROM users u JOIN addresses a ON user_id = id WHERE id = {id}"
    );
    assert_eq!(shop.project.value(&both), format!("{street}|{street}"));
}

#[test]
fn who_writes_through_a_view_is_asked_for_what_triggers_do_in_his_name() {
    let shop = shop(SPLIT, USERS);
    shop.project.done(&["expand"]);
    shop.project.execute(
            "CREATE ROLE keeper; CREATE ROLE clerk LOGIN; CREATE ROLE namer LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE idle LOGIN; CREATE ROLE poor;
             GRANT SELECT, INSERT, UPDATE, DELETE ON users TO keeper;
             CREATE VIEW streets AS SELECT id AS key, name, street AS \"the street\" FROM users WHERE id IN (SELECT id FROM users);
             CREATE VIEW above AS SELECT key, name, \"the street\" FROM streets;
             CREATE VIEW pairs AS SELECT u.id, u.street FROM users u JOIN users v ON u.id = v.id; CREATE VIEW of_poor AS SELECT * FROM users;
             CREATE VIEW told AS SELECT id, street FROM users; CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER tell INSTEAD OF INSERT OR UPDATE OR DELETE ON told FOR EACH ROW EXECUTE FUNCTION tell();
             CREATE VIEW ruled AS SELECT id, street FROM users; CREATE RULE none AS ON UPDATE TO ruled DO INSTEAD NOTHING;
             CREATE TABLE plain (id bigint); CREATE VIEW beside AS SELECT id, (SELECT max(street) FROM users) AS street FROM plain;
             ALTER VIEW streets OWNER TO keeper; ALTER VIEW above OWNER TO keeper; ALTER VIEW told OWNER TO keeper; ALTER VIEW of_poor OWNER TO poor;
             GRANT SELECT, UPDATE (\"the street\") ON above TO clerk; GRANT SELECT, UPDATE (name) ON streets TO namer; GRANT SELECT ON streets TO reader;
             GRANT ALL ON pairs, of_poor, told, beside TO idle; GRANT UPDATE ON ruled TO idle",
    );
    if is_from(&shop, 15) {
        shop.project.execute(
            "CREATE VIEW asked WITH (security_invoker = true) AS SELECT id, street FROM users; GRANT ALL ON asked TO idle",
        );
    }
    let told = shop.project.zdm(SWITCH);
    told.says("clerk may UPDATE users through the view above by the rights of keeper, and triggers write users and addresses in the name of whoever writes one of them");
    let given = shop.opened(SWITCH, GATE);
    assert_eq!(
        given,
        [
            "GRANT SELECT (\"city\", \"id\", \"street\"), UPDATE (\"city\", \"street\") ON \"users\" TO clerk;",
            "GRANT SELECT (\"street\", \"town\", \"user_id\"), INSERT (\"street\", \"town\", \"user_id\"), UPDATE (\"street\", \"town\"), DELETE ON \"addresses\" TO clerk;",
        ]
    );
    shop.project.done(SWITCH);
    let write = "UPDATE above SET \"the street\" = \"the street\" || '!' WHERE key = 1";
    shop.may("clerk", write);
    same(&shop, 1, "s1!");
    shop.may("namer", "UPDATE streets SET name = 'eve' WHERE key = 2");
    // As the gate says: without them the write would have failed.
    shop.project.execute("REVOKE ALL ON addresses FROM clerk");
    let refused = shop.may_not("clerk", write);
    assert!(
        refused.contains("permission denied for table addresses"),
        "{refused}"
    );
}

/// The table that is merged is written through a view, which only looks at the one that it goes into.
#[test]
fn a_view_of_the_other_table_counts_as_well() {
    let shop = shop(
        MERGE,
        "INSERT INTO users VALUES (1, 'ada'), (2, 'bob'); INSERT INTO addresses VALUES (1, 's1', 't1');
         CREATE ROLE clerk LOGIN; CREATE VIEW streets AS SELECT user_id, street, town FROM addresses; GRANT SELECT, INSERT ON streets TO clerk",
    );
    std::fs::create_dir_all(shop.project.path("zdm/raw/drop")).unwrap();
    shop.project.write(
        "zdm/raw/drop/before_view.up.sql",
        "-- irreversible: the table is gone\nDROP VIEW streets;\n",
    );
    shop.project.done(&["generate", "--amend"]);
    let given = shop.opened(&["expand"], GATE);
    assert_eq!(
        given,
        [
            "GRANT SELECT (\"city\", \"id\", \"street\"), UPDATE (\"city\", \"street\") ON \"users\" TO clerk;",
            "GRANT SELECT (\"street\", \"town\", \"user_id\"), INSERT (\"street\", \"town\", \"user_id\"), UPDATE (\"street\", \"town\"), DELETE ON \"addresses\" TO clerk;",
        ]
    );
    shop.project.done(&["expand"]);
    shop.may("clerk", "INSERT INTO streets VALUES (2, 's2', 't2')");
    same(&shop, 2, "s2");
}

#[test]
fn the_owner_of_a_function_that_acts_for_others_is_asked_though_he_cannot_log_in() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE robot; CREATE ROLE tool; CREATE ROLE web LOGIN; GRANT SELECT, UPDATE ON users TO robot; GRANT SELECT ON users TO tool;
             CREATE FUNCTION moves(text) RETURNS void LANGUAGE sql SECURITY DEFINER AS 'UPDATE users SET street = $1 WHERE id = 1'; ALTER FUNCTION moves OWNER TO robot;
             CREATE FUNCTION looks() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM users'; ALTER FUNCTION looks OWNER TO tool;
             CREATE ROLE idle; CREATE FUNCTION idles() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT'; ALTER FUNCTION idles OWNER TO idle"
        ),
    );
    shop.project.done(&["expand"]);
    let told = shop.project.zdm(SWITCH);
    told.says(
        "robot (by functions SECURITY DEFINER: public.moves) may SELECT, UPDATE users and UPDATE addresses, and triggers",
    );
    let given = shop.opened(SWITCH, GATE);
    let rest = "INSERT (\"street\", \"town\", \"user_id\"), DELETE ON \"addresses\"";
    assert_eq!(given, [format!("GRANT {rest} TO robot;")]);
    shop.project.done(SWITCH);
    shop.may("web", "SELECT moves('seen')");
    same(&shop, 1, "seen");
    shop.project
        .execute("REVOKE INSERT ON addresses FROM robot");
    shop.may_not("web", "SELECT moves('lost')");
}

/// A row that comes to the new table has its key looked for in the old one in the name of that one's owner.
#[test]
fn an_owner_in_whose_name_a_foreign_key_is_checked_may_look() {
    let shop = shop(
        SPLIT,
        &format!(
            "{USERS} CREATE ROLE keeper; CREATE ROLE web LOGIN; GRANT ALL ON users TO web; ALTER TABLE users OWNER TO keeper;
             REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO web; REVOKE UPDATE ON users FROM keeper"
        ),
    );
    shop.project.done(&["expand"]);
    let write = "UPDATE users SET street = 'new' WHERE id = 3";
    shop.may("web", write);
    let told = shop.project.zdm(SWITCH);
    told.says("a row that comes to addresses has its key looked for in users in the name of keeper, its owner");
    let given = shop.opened(SWITCH, GATE);
    assert_eq!(
        given,
        [
            "GRANT UPDATE ON \"users\" TO keeper;",
            "GRANT USAGE ON SCHEMA public TO keeper;",
        ]
    );
    shop.project.done(SWITCH);
    shop.may("web", write);
    shop.may("web", "UPDATE users SET city = 'new' WHERE id = 3");
    same(&shop, 3, "new");
    // And where rows of the new table go with those of the old one, its own owner.
    shop.project.execute(
        "CREATE ROLE other; ALTER TABLE addresses OWNER TO other; REVOKE SELECT ON addresses FROM other; GRANT ALL ON addresses TO web",
    );
    shop.may_not("web", "DELETE FROM users WHERE id = 3");
    shop.project.done(&["backfill"]);
    shop.project.done(&["verify"]);
    let shadow = &["switch", "--to", "shadow"];
    let told = shop.project.zdm(shadow);
    told.says(
        "a row of users that goes takes that of addresses along in the name of other, its owner",
    );
    let given = shop.opened(shadow, GATE);
    let mut lacked = vec![
        "GRANT SELECT ON \"addresses\" TO other;",
        "GRANT USAGE ON SCHEMA public TO other;",
    ];
    if triggers_follow(&shop) {
        lacked.push("GRANT SELECT, UPDATE ON \"users\" TO other;");
    }
    assert_eq!(given, lacked);
    shop.may("web", "DELETE FROM users WHERE id = 3");
    shop.project.done(shadow);
}

#[test]
fn an_owner_in_whose_name_triggers_follow_a_foreign_key_is_asked_where_they_do() {
    let shop = shop(
        SPLIT,
        &format!("{USERS} CREATE ROLE keeper; CREATE ROLE web LOGIN; GRANT ALL ON users TO web"),
    );
    shop.project.done(&["expand"]);
    shop.project
        .execute("ALTER TABLE addresses OWNER TO keeper; GRANT ALL ON addresses TO web");
    if triggers_follow(&shop) {
        let told = shop.project.zdm(SWITCH);
        told.says("what happens to a row of addresses by its foreign key to users happens in the name of keeper, its owner, and so do");
        let given = shop.opened(SWITCH, GATE);
        assert_eq!(given, ["GRANT SELECT, UPDATE ON \"users\" TO keeper;"]);
    }
    shop.project.done(SWITCH);
    shop.may("web", "UPDATE users SET street = 'here' WHERE id = 3");
    shop.may("web", "DELETE FROM users WHERE id = 3");
    // As the gate says: without them the write would have failed.
    shop.may("web", "UPDATE users SET street = 'here' WHERE id = 2");
    shop.project.execute("REVOKE ALL ON users FROM keeper");
    let delete = "DELETE FROM users WHERE id = 2";
    if triggers_follow(&shop) {
        let refused = shop.may_not("web", delete);
        assert!(
            refused.contains("permission denied for table users"),
            "{refused}"
        );
    } else {
        shop.may("web", delete);
    }
}
