//! A table in which nothing tells rows apart, as somebody moves it by hand.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const BEFORE: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    pub page: String,
}
"#;

const AFTER: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
#[zdm(table = "visits", no_primary_key)]
pub struct Visit {
    #[zdm(
        from("page"),
        up(postgres = "watched(page)", sqlite = "page"),
        down(postgres = "path", sqlite = "path"),
        valid_if = "page IS NOT NULL",
        on_invalid = default("''")
    )]
    pub path: String,
}
"#;

/// What `up` is there: every statement that only looks at rows has all the time that it takes.
const WATCHED: &str =
    "CREATE FUNCTION watched(page text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF current_query() !~ 'UPDATE' AND current_setting('statement_timeout') <> '0' THEN
        RAISE EXCEPTION 'a look that may take % alone', current_setting('statement_timeout');
    END IF;
    RETURN page;
END $$";

/// Ranges of addresses are scans of their own from there on.
const RANGES_SINCE: i64 = 140_000;

/// Up to a filled table, or to the refusal of a server that is too old for it.
fn is_begun(project: &Project) -> bool {
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    let on_postgres = project.url.starts_with("postgres");
    if on_postgres {
        project.execute(WATCHED);
        project.execute("ALTER ROLE CURRENT_USER SET statement_timeout = '1h'");
    }
    project.execute(
        "INSERT INTO visits (page) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500) \
         SELECT 'page ' || n FROM n",
    );
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "two"]);
    let version = "SELECT CAST(current_setting('server_version_num') AS bigint)";
    if on_postgres && project.value(version).parse::<i64>().unwrap() < RANGES_SINCE {
        let refused = project.zdm(&["expand"]);
        assert_eq!(refused.code, 3, "{refused:#?}");
        refused.says("which PostgreSQL reads by themselves from version 14 on; this is 13");
        refused.says("nothing of this version was executed");
        assert_eq!(project.stage("two"), "absent");
        let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'visits'";
        assert_eq!(project.value(columns), "1");
        return false;
    }
    project.done(&["expand"]);
    project.done(&["switch", "two", "--to", "dual_write"]);
    project.done(&["backfill", "two"]);
    true
}

/// However many rows differ, one command fills them, and a share by key is refused, of which nothing would come.
fn moved_by_hand(project: &Project) {
    if !is_begun(project) {
        return;
    }
    project.execute("UPDATE visits SET path = 'x'");
    project
        .done(&["verify", "two", "--repair"])
        .says("2500 of 2500 rows that differ were filled anew");
    project.done(&["switch", "two", "--to", "shadow"]);
    for dry_run in [&[][..], &["--dry-run"]] {
        let refused = [&["switch", "two", "--to", "25%"], dry_run].concat();
        let refused = project.zdm(&refused);
        assert_eq!(refused.code, 2, "{refused:#?}");
        refused.says("nothing tells rows of visits apart");
        refused.says("`cargo zdm switch two --to 25% --by instance`");
    }
    assert_eq!(project.stage("two"), "shadow");
    project.done(&["switch", "two", "--to", "25%", "--by", "instance"]);
    project.done(&["switch", "two", "--to", "100%"]);
    let back = project.zdm(&["switch", "two", "--to", "25%", "--by", "key"]);
    assert_eq!(back.code, 2, "{back:#?}");
    project.done(&["verify", "two"]);
    project.done(&["switch", "two", "--to", "ramp_down"]);
}

#[test]
fn moved_by_hand_on_sqlite() {
    moved_by_hand(&Project::sqlite(""));
}

#[test]
fn moved_by_hand_or_refused_by_an_older_server_on_postgres() {
    let server = Server::start();
    moved_by_hand(&Project::on(server.database("app"), ""));
}

/// Whoever leaves the shares to the policy, which counts keys, goes from none to all.
#[test]
fn advance_goes_past_shares_of_keys() {
    let project = Project::sqlite("");
    assert!(is_begun(&project));
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    assert!(!waits.out.contains("5%"), "{waits:#?}");
    assert_eq!(project.stage("two"), "complete");
}
