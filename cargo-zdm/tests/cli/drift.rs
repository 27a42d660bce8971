//! What two databases define otherwise, and no version describes.

use zdm_tests::postgres::Server;

use crate::generate::user_crate;
use crate::project::Project;

#[test]
fn a_domain_or_a_collation_that_differs_is_drift() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.done(&["init"]);
    let other = Project::on(server.database("other"), "");
    for (database, limit, base) in [(&project, 100, "integer"), (&other, 200, "bigint")] {
        database.execute(&format!(
            "CREATE DOMAIN small AS integer DEFAULT 1 CONSTRAINT is_small CHECK (VALUE < {limit})"
        ));
        database.execute(&format!("CREATE DOMAIN wide AS {base}"));
        database.execute("CREATE DOMAIN same AS text NOT NULL");
        database.execute("CREATE COLLATION plain (provider = libc, locale = 'C')");
        database.execute("CREATE TABLE users (id bigint PRIMARY KEY, level small, kind same)");
    }
    other.execute("CREATE DOMAIN here_alone AS text");
    let diff = ["diff", "--from", &project.url, "--to", &other.url];
    let differs = project.done(&diff);
    differs.says("differs, and no version describes it:");
    for told in [
        "domain small: integer DEFAULT 1 CONSTRAINT is_small CHECK ((VALUE < 100)) in --from, integer DEFAULT 1 CONSTRAINT \
         is_small CHECK ((VALUE < 200)) in --to",
        "domain wide: integer in --from, bigint in --to",
    ] {
        differs.says(told);
    }
    assert_eq!(
        differs.out.matches(" in --from, ").count(),
        2,
        "{differs:#?}"
    );
    assert!(!differs.out.contains("nothing differs"), "{differs:#?}");
    other.execute(
        "DROP COLLATION plain; CREATE COLLATION plain (provider = libc, locale = 'POSIX')",
    );
    let told = "collation plain: libc C in --from, libc POSIX in --to";
    project.done(&diff).says(told);
    let itself = project.done(&["diff", "--from", &project.url, "--to", &project.url]);
    itself.says("nothing differs");
}
