//! An encrypted connection to a server whose certificate is known, and one to a server whose certificate is not.

use zdm_tests::postgres::Server;

use crate::database::HASTY;
use crate::project::Project;
use crate::versions;

#[test]
fn a_server_is_reached_by_its_certificate_and_another_is_not() {
    let (_server, url) = Server::start_encrypted();
    let (_other, stranger) = Server::start_encrypted();
    let project = Project::on(url.clone(), HASTY);
    versions::write(&project.path("zdm"), "postgres");
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill", "--workers", "2"]);
    let encrypted = "SELECT CAST(ssl AS int) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(project.value(encrypted), "1");

    let certificate = |url: &str| url.split("sslrootcert=").nth(1).unwrap().to_owned();
    let mixed = url.replace(&certificate(&url), &certificate(&stranger));
    let run = project.zdm(&["status", "--database-url", &mixed]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("certificate");
}
