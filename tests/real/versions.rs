//! A real schema: in the crate registry's table `versions` the checksum becomes bytes, with writers running.
//!
//! Comes in: the schema after that project's migration 273 as `pg_dump --schema-only` prints it, by `ZDM_REAL_SCHEMA`.
//! Goes out: every acknowledged write compared with the table; on stdout what `docs/real-schema.md` quotes.
//!
//!     ZDM_REAL_SCHEMA=…/0273.sql cargo test -p zdm-tests --test real_versions -- --ignored --nocapture

mod project;
mod rows;
mod writers;

use project::Project;
use sqlx::PgPool;
use writers::Fleet;
use zdm_tests::postgres::Server;

#[tokio::test]
#[ignore = "needs the registry's schema: ZDM_REAL_SCHEMA=…/0273.sql"]
async fn the_checksum_becomes_bytes_while_versions_are_published() {
    let schema = std::env::var("ZDM_REAL_SCHEMA")
        .expect("ZDM_REAL_SCHEMA names the file with the schema after migration 273");
    let schema = std::fs::read_to_string(&schema)
        .unwrap_or_else(|error| panic!("ZDM_REAL_SCHEMA={schema}: {error}"));
    let server = Server::start();
    let url = server.database("registry");
    rows::load(&url, &schema).await;
    let pool = PgPool::connect(&url).await.unwrap();

    let project = Project::new(&url);
    project.write("before");
    done(&project, &["init", "--baseline"]);
    project.without_waiting_times();
    done(&project, &["expand"]);
    let before = project.build("before");
    project.write("after");
    done(&project, &["diff"]);
    done(&project, &["generate", "versions_tar_sha256"]);
    let after = project.build("after");

    let mut fleet = Fleet::start(&before, &url);
    fleet.serve("old code, before the migration");
    when_open(&project, &fleet, &["expand"]);
    fleet.serve("old code, new column there");
    fleet.roll_out(&after, &url);
    fleet.serve("new code at off");

    when_open(&project, &fleet, &["switch", "--to", "dual_write"]);
    fleet.serve("dual_write");
    when_open(&project, &fleet, &["backfill"]);
    when_open(&project, &fleet, &["verify"]);
    when_open(&project, &fleet, &["switch", "--to", "shadow"]);
    fleet.serve("shadow");
    when_open(&project, &fleet, &["switch", "--to", "25%"]);
    fleet.serve("live for 25 % of the keys");
    when_open(&project, &fleet, &["rollback"]);
    fleet.serve("rolled back to dual_write");
    when_open(&project, &fleet, &["switch", "--to", "shadow"]);
    when_open(&project, &fleet, &["switch", "--to", "100%"]);
    fleet.serve("live for all keys");
    when_open(&project, &fleet, &["verify"]);
    when_open(&project, &fleet, &["switch", "--to", "ramp_down"]);
    fleet.serve("ramp_down");
    when_open(&project, &fleet, &["switch", "--to", "complete"]);
    fleet.serve("complete");
    when_open(&project, &fleet, &["rollback"]);
    fleet.serve("rolled back from complete");
    when_open(&project, &fleet, &["switch", "--to", "complete"]);
    fleet.serve("complete again");

    when_open(&project, &fleet, &["finalize"]);
    let last = project.build("last");
    fleet.roll_out(&last, &url);
    fleet.serve("code that names new alone");
    when_open(&project, &fleet, &["contract"]);
    fleet.serve("old is gone");
    when_open(&project, &fleet, &["status"]);

    let found = fleet.stop();
    println!("\n{found}");
    assert_eq!(found.failed, 0, "statements failed");
    assert_eq!(found.wrong_reads, 0, "reads were wrong");
    rows::compare_schema(&pool).await;
    rows::compare(&pool, &found.written).await;
}

fn done(project: &Project, arguments: &[&str]) {
    assert!(project.zdm(arguments), "a gate is shut");
}

/// Instances acknowledge a hop within seconds; until then the next one waits at its gate, and they serve.
fn when_open(project: &Project, fleet: &Fleet, arguments: &[&str]) {
    for _ in 0..60 {
        if project.zdm(arguments) {
            return;
        }
        fleet.serve("at a shut gate");
    }
    panic!("the gate stays shut");
}
