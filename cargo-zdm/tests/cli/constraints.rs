//! Constraints that name old columns: what they refuse and delete at `complete`, where new alone is written, and that
//! they are back before code that writes old is alone again.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;
use crate::put_back::constraint;

/// Runs a test on both databases, each in a crate of its own.
fn on_both(test: impl Fn(&Project, &str)) {
    let server = Server::start();
    test(&Project::on(server.database("app"), ""), "postgres");
    test(&Project::sqlite(""), "sqlite");
}

fn models(structs: &str) -> String {
    format!("use zdm_runtime::Migratable;\n{structs}")
}

/// A crate whose first version is in the database, with rows.
pub(crate) fn created(project: &Project, dialect: &str, before: &str, rows: &str) {
    user_crate(project);
    project.write("src/models.rs", &models(before));
    project.done(&["init", "--dialect", dialect]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute(rows);
}

/// The struct has changed, and the new columns stand beside the old ones.
fn expanded(project: &Project, after: &str) {
    project.write("src/models.rs", &models(after));
    project.done(&["generate", "change"]);
    project.done(&["advance", "--before-deploy"]);
}

/// Writes keep new alone, and contract waits for final code.
pub(crate) fn completed(project: &Project, after: &str) {
    expanded(project, after);
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    assert_eq!(project.stage("change"), "complete");
}

pub(crate) fn back_to(project: &Project, stage: &str) {
    project.done(&["rollback", "--to", stage]);
    assert_eq!(project.stage("change"), stage);
}

const TEAMS: &str = "
#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
}
";

fn members(field: &str) -> String {
    format!(
        "{TEAMS}
#[derive(Migratable)]
pub struct Member {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
}}
"
    )
}

#[test]
fn a_stale_foreign_key_deletes_nothing() {
    on_both(|project, dialect| {
        let before =
            "#[zdm(references = \"teams(id)\", on_delete = \"cascade\")]\n    pub team_id: i64,";
        let after = "#[zdm(renamed_from = \"team_id\", references = \"teams(id)\", on_delete = \"cascade\")]\n    pub group_id: i64,";
        let rows = "INSERT INTO teams (id) VALUES (1), (2), (3); INSERT INTO members (id, team_id) VALUES (1, 1), (2, 3)";
        created(project, dialect, &members(before), rows);
        completed(project, &members(after));
        project.execute("UPDATE members SET group_id = 2 WHERE id = 1");
        project.execute("DELETE FROM teams WHERE id = 1");
        assert_eq!(
            project.value("SELECT group_id FROM members WHERE id = 1"),
            "2"
        );
        project.execute("DELETE FROM teams WHERE id = 3");
        assert_eq!(
            project.value("SELECT count(*) FROM members"),
            "1",
            "new's foreign key acts"
        );

        back_to(project, "ramp_down");
        assert_eq!(project.value("SELECT team_id FROM members"), "2");
        let alone = "INSERT INTO members (id, team_id, group_id) VALUES (4, 9, 2)";
        project.refuses(alone, "foreign key");
        back_to(project, "dual_write");
        back_to(project, "off");
        project.refuses(
            "INSERT INTO members (id, team_id) VALUES (4, 9)",
            "foreign key",
        );
        project.execute("DELETE FROM teams WHERE id = 2");
        assert_eq!(project.value("SELECT count(*) FROM members"), "0");
    });
}

/// New does not ask for what old refuses: the way back ends before anybody reads old, and goes on when it is mended.
#[test]
fn a_row_without_its_team_is_told_on_the_way_back() {
    on_both(|project, dialect| {
        let before = "#[zdm(references = \"teams(id)\")]\n    pub team_id: i64,";
        let after = "#[zdm(renamed_from = \"team_id\")]\n    pub group_id: i64,";
        let rows =
            "INSERT INTO teams (id) VALUES (1); INSERT INTO members (id, team_id) VALUES (1, 1)";
        created(project, dialect, &members(before), rows);
        completed(project, &members(after));
        project.execute("UPDATE members SET group_id = 9");
        for _ in 0..2 {
            let stuck = project.zdm(&["rollback"]);
            assert_eq!(stuck.code, 3, "{stuck:#?}");
            stuck.says(if dialect == "postgres" {
                "fk_members_team_id"
            } else {
                "members → teams: 1 rows"
            });
            assert_eq!(project.stage("change"), "ramp_down");
        }
        if dialect == "postgres" {
            // The foreign key is there, not validated: at `complete` it would act on stale rows, so it goes again.
            project.done(&["switch", "--to", "complete"]);
            assert_eq!(constraint(project, "fk_members_team_id"), "0");
            project.execute("UPDATE members SET group_id = 8");
            project.execute("UPDATE members SET group_id = 9");
            let stuck = project.zdm(&["rollback"]);
            assert_eq!(stuck.code, 3, "{stuck:#?}");
            project.done(&["resume", "change"]);
            assert_eq!(project.zdm(&["advance"]).code, 4);
            assert_eq!(project.stage("change"), "complete");
            assert_eq!(constraint(project, "fk_members_team_id"), "0");
        }
        project.execute("INSERT INTO teams (id) VALUES (9)");
        back_to(project, "ramp_down");
        let alone = "INSERT INTO members (id, team_id, group_id) VALUES (4, 7, 9)";
        project.refuses(alone, "foreign key");
        back_to(project, "dual_write");
    });
}

fn ranges(check: &str, field: &str) -> String {
    format!(
        "
#[derive(Migratable)]
#[zdm({check})]
pub struct Range {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
    pub high: i32,
}}
"
    )
}

#[test]
fn a_stale_check_refuses_nothing() {
    on_both(|project, dialect| {
        let before = ranges(
            "check(name = \"ordered\", expr = \"low <= high\")",
            "pub low: i32,",
        );
        let after = ranges(
            "check(name = \"in_order\", expr = \"min_low <= high\")",
            "#[zdm(renamed_from = \"low\")]\n    pub min_low: i32,",
        );
        let rows = "INSERT INTO ranges (id, low, high) VALUES (1, 10, 20)";
        created(project, dialect, &before, rows);
        completed(project, &after);
        project.execute("UPDATE ranges SET min_low = 1, high = 5 WHERE id = 1");
        project.refuses("UPDATE ranges SET min_low = 6 WHERE id = 1", "in_order");

        back_to(project, "ramp_down");
        assert_eq!(project.value("SELECT low FROM ranges"), "1");
        project.refuses("UPDATE ranges SET low = 6 WHERE id = 1", "ordered");
        back_to(project, "dual_write");
        back_to(project, "off");
        project.refuses("UPDATE ranges SET low = 6 WHERE id = 1", "ordered");
    });
}

#[test]
fn a_check_over_a_dropped_column_refuses_no_insert_of_new_code() {
    on_both(|project, dialect| {
        let offers = |attribute: &str, field: &str| {
            format!(
                "
#[derive(Migratable)]
#[zdm({attribute})]
pub struct Offer {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
    pub discount: i32,
}}
"
            )
        };
        let check = "check(name = \"enough\", expr = \"price >= discount\")";
        let rows = "INSERT INTO offers (id, price, discount) VALUES (1, 9, 2)";
        created(project, dialect, &offers(check, "pub price: i32,"), rows);
        expanded(project, &offers("drops(\"price\", default = \"0\")", ""));
        project.execute("INSERT INTO offers (id, discount) VALUES (2, 5)");
        project.execute("DELETE FROM offers WHERE id = 2");
        // Old code has its check again once nobody inserts without the column.
        project.done(&["rollback"]);
        let cheap = "INSERT INTO offers (id, price, discount) VALUES (3, 1, 2)";
        project.refuses(cheap, "enough");
    });
}

fn users(field: &str) -> String {
    format!(
        "
#[derive(Migratable)]
pub struct User {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
}}
"
    )
}

#[test]
fn values_that_changed_places_are_no_duplicates_on_the_way_back() {
    on_both(|project, dialect| {
        let before = users("#[zdm(unique)]\n    pub mail: String,");
        let after = users("#[zdm(unique, renamed_from = \"mail\")]\n    pub email: String,");
        let rows = "INSERT INTO users (id, mail) VALUES (1, 'ada'), (2, 'grace')";
        created(project, dialect, &before, rows);
        completed(project, &after);
        for (id, email) in [(1, "-"), (2, "ada"), (1, "grace")] {
            project.execute(&format!(
                "UPDATE users SET email = '{email}' WHERE id = {id}"
            ));
        }
        back_to(project, "ramp_down");
        assert_eq!(
            project.value("SELECT mail FROM users WHERE id = 1"),
            "grace"
        );
        assert_eq!(project.value("SELECT mail FROM users WHERE id = 2"), "ada");
        project.refuses("UPDATE users SET mail = 'ada' WHERE id = 1", "nique");
        back_to(project, "dual_write");
        back_to(project, "off");
        project.refuses("INSERT INTO users (id, mail) VALUES (3, 'ada')", "nique");
    });
}

/// New does not ask for what old refuses: the way back ends before anybody reads old, and names the value.
#[test]
fn duplicates_that_old_refuses_are_named_on_the_way_back() {
    on_both(|project, dialect| {
        let before = users("#[zdm(unique)]\n    pub mail: String,");
        let after = users("#[zdm(renamed_from = \"mail\")]\n    pub email: String,");
        let rows = "INSERT INTO users (id, mail) VALUES (1, 'ada'), (2, 'grace')";
        created(project, dialect, &before, rows);
        completed(project, &after);
        project.execute("UPDATE users SET email = 'ada'");
        let stuck = project.zdm(&["rollback"]);
        assert_eq!(stuck.code, 3, "{stuck:#?}");
        stuck.says(if dialect == "postgres" {
            "uq_users_mail"
        } else {
            "users.mail"
        });
        assert_eq!(project.stage("change"), "ramp_down");
        project.execute("UPDATE users SET email = 'grace', mail = 'grace' WHERE id = 2");
        project.done(&["rollback"]);
        assert_eq!(project.stage("change"), "ramp_down");
        project.refuses("UPDATE users SET mail = 'ada' WHERE id = 2", "nique");
        back_to(project, "dual_write");
    });
}

/// Everything through a unique column that is no key: in the first version, in a new table, and of a renamed column.
#[test]
fn a_foreign_key_to_a_unique_column_follows_its_index() {
    on_both(|project, dialect| {
        let products = |field: &str, keys: &str| {
            format!(
                "
#[derive(Migratable)]
pub struct Product {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
}}
{keys}"
            )
        };
        let sale = |name: &str, attribute: &str, field: &str| {
            format!(
                "
#[derive(Migratable)]
{attribute}
pub struct {name} {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
    pub product: String,
}}
"
            )
        };
        let before = products(
            "#[zdm(unique)]\n    pub code: String,",
            &sale("Sale", "", "#[zdm(references = \"products(code)\")]"),
        );
        let foreign_key = "#[zdm(foreign_key(columns(product), references = \"products(sku)\", name = \"fk_sku\"))]";
        let after = products(
            "#[zdm(renamed_from = \"code\", unique)]\n    pub sku: String,",
            &[
                sale("Sale", foreign_key, ""),
                sale("Basket", "", "#[zdm(references = \"products(sku)\")]"),
            ]
            .concat(),
        );
        let rows = "INSERT INTO products (id, code) VALUES (1, 'a'), (2, 'b'); INSERT INTO sales (id, product) VALUES (1, 'a')";
        created(project, dialect, &before, rows);
        project.refuses(
            "INSERT INTO sales (id, product) VALUES (2, 'z')",
            "foreign key",
        );

        completed(project, &after);
        // What new code writes: old would not know the product.
        project.execute("INSERT INTO products (id, sku) VALUES (3, 'c')");
        project.execute("INSERT INTO sales (id, product) VALUES (3, 'c')");
        project.execute("INSERT INTO baskets (id, product) VALUES (3, 'c')");
        project.refuses(
            "INSERT INTO sales (id, product) VALUES (4, 'z')",
            "foreign key",
        );
        project.refuses(
            "INSERT INTO baskets (id, product) VALUES (4, 'z')",
            "foreign key",
        );

        for stage in ["ramp_down", "dual_write", "off"] {
            back_to(project, stage);
        }
        project.execute("DELETE FROM baskets; INSERT INTO products (id, code) VALUES (5, 'e')");
        project.execute("INSERT INTO sales (id, product) VALUES (5, 'e')");
        project.refuses("DELETE FROM products WHERE id = 5", "foreign key");
        project.done(&["rollback", "--to", "absent"]);
        project.refuses(
            "INSERT INTO sales (id, product) VALUES (6, 'z')",
            "foreign key",
        );
    });
}
