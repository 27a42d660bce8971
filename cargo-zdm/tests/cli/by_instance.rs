//! Readers that go to new by instance: the option, the policy, what is told and what is refused.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;

const M: &str = "users_full_name";

fn at_shadow(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    for arguments in [
        &["switch", "--to", "dual_write"][..],
        &["backfill"],
        &["verify"],
        &["switch", "--to", "shadow"],
    ] {
        project.done(arguments);
    }
}

/// Instances with names, and one whose runtime has none to say; all know the present epoch.
fn register(project: &Project, zdm: &str, count: u32) {
    for number in 1..=count {
        let name = if number == count {
            "NULL".to_owned()
        } else {
            format!("'web-{number}'")
        };
        project.execute(&format!(
            "INSERT INTO {zdm}instance (instance, label, started_at, lease_until, name)
             VALUES ('i{number}', 'web-{number} (pid 7)', 0, 99999999999999, {name});
             INSERT INTO {zdm}instance_code (instance, migration, code_state) SELECT 'i{number}', migration, 'transition' FROM {zdm}migration;
             INSERT INTO {zdm}instance_fence SELECT 'i{number}', table_name, epoch FROM {zdm}fence"
        ));
    }
}

fn acknowledge(project: &Project, zdm: &str) {
    project.execute(&format!(
        "UPDATE {zdm}instance_fence SET epoch = (SELECT f.epoch FROM {zdm}fence f WHERE f.table_name = {zdm}instance_fence.table_name)"
    ));
}

fn json(project: &Project, arguments: &[&str]) -> serde_json::Value {
    let arguments = [arguments, &["--format", "json"]].concat();
    project.done(&arguments).object()
}

fn shares(project: &Project, zdm: &str) -> (String, String) {
    let of = |column: &str| {
        project.value(&format!(
            "SELECT {column} FROM {zdm}stage WHERE stage <> 'complete'"
        ))
    };
    (of("read_basis_points"), of("read_instances"))
}

#[test]
fn a_share_of_the_instances_is_named_kept_and_ended_on_sqlite() {
    on_sqlite(HASTY, |project| is_named_kept_and_ended(project, "zdm_"));
}

#[test]
fn a_share_of_the_instances_is_named_kept_and_ended_on_postgres() {
    on_postgres(HASTY, |project| is_named_kept_and_ended(project, "zdm."));
}

fn is_named_kept_and_ended(project: &Project, zdm: &str) {
    let is = |points: &str, instances: &str| {
        assert_eq!(
            shares(project, zdm),
            (points.to_owned(), instances.to_owned())
        );
    };
    at_shadow(project);
    let hop = json(project, &["switch", "--to", "25%", "--by", "instance"]);
    assert_eq!(hop["reads_basis_points"], 2500, "{hop}");
    assert_eq!(hop["reads_by"], "instance", "{hop}");
    is("0", "2500");
    let status = json(project, &["status", M]);
    let status = &status["migrations"][0];
    assert_eq!(status["reads_basis_points"], 2500, "{status}");
    assert_eq!(status["reads_by"], "instance", "{status}");
    project
        .done(&["status"])
        .says("live, 25% of instances read new");

    // The same command again moves nothing; a greater share is of the same, and so is a smaller one.
    let again = json(project, &["switch", M, "--to", "25%"]);
    assert_eq!(again["moved"], false, "{again}");
    project
        .done(&["switch", M, "--to", "50%"])
        .says("50% by instance");
    is("0", "5000");
    project.done(&["switch", M, "--to", "10%"]);
    is("0", "1000");
    project.done(&["status"]).says("was rolled back");
    project.done(&["switch", M, "--to", "10%", "--by", "key"]);
    is("1000", "NULL");
    let shown = json(
        project,
        &["switch", M, "--to", "20%", "--by", "instance", "--dry-run"],
    );
    assert_eq!(shown["reads_by"], "instance", "{shown}");
    is("1000", "NULL");

    // All are all.
    project.done(&["switch", M, "--to", "100%", "--by", "instance"]);
    is("10000", "NULL");
    project.done(&["switch", M, "--to", "50%", "--by", "instance"]);
    is("0", "5000");
    project.done(&["rollback", M, "--to", "dual_write"]);
    assert_eq!(project.stage(M), "dual_write");
    is("0", "NULL");
}

#[test]
fn who_reads_new_is_told() {
    on_sqlite(HASTY, |project| {
        let zdm = "zdm_";
        at_shadow(project);
        register(project, zdm, 9);
        let arguments = ["switch", M, "--to", "50%", "--by", "instance"];
        let shown = json(project, &[&arguments[..], &["--dry-run"]].concat());
        let hop = json(project, &arguments);
        assert_eq!(shown["readers"], hop["readers"], "{shown}");
        let told = |side: &str| {
            let labels = hop["readers"][side].as_array().unwrap().iter();
            labels
                .map(|label| label.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let (new, old) = (told("new"), told("old"));
        assert_eq!(new.len() + old.len(), 9, "{hop}");
        assert!(!new.is_empty(), "{hop}");
        // It has no name: its runtime is from before, and reads old.
        assert!(old.contains(&"web-9 (pid 7)".to_owned()), "{hop}");

        // Nobody has acknowledged the share, so nobody is said to read by it.
        let status = json(project, &["status", M]);
        for instance in status["migrations"][0]["instances"].as_array().unwrap() {
            assert!(instance["reads"].is_null(), "{instance}");
        }
        acknowledge(project, zdm);
        let status = json(project, &["status", M]);
        for instance in status["migrations"][0]["instances"].as_array().unwrap() {
            let label = instance["label"].as_str().unwrap().to_owned();
            let reads = if new.contains(&label) { "new" } else { "old" };
            assert_eq!(instance["reads"], reads, "{instance}");
        }
        let line = format!(
            "instance {}: living, code transition, up to date, reads new",
            new[0]
        );
        project.done(&["status"]).says(&line);
        let told = project.done(&["switch", M, "--to", "90%"]);
        told.says("of 9 living instances read new: ");
        acknowledge(project, zdm);
        let nobody = project.done(&["switch", M, "--to", "0.01%"]);
        nobody.says("none of 9 living instances is in this share");
    });
}

#[test]
fn the_ramp_may_be_one_of_instances() {
    let policy = format!("{HASTY}\nramp = [\"25%\", \"50%\", \"100%\"]\nramp_by = \"instance\"");
    on_sqlite(&policy, |project| {
        at_shadow(project);
        project.done(&["switch", M, "--to", "25%"]);
        assert_eq!(shares(project, "zdm_"), ("0".to_owned(), "2500".to_owned()));
        // What somebody has chosen by hand goes on.
        project.done(&["switch", M, "--to", "30%", "--by", "key"]);
        let advanced = project.zdm(&["advance"]);
        assert_eq!(advanced.code, 4, "{advanced:#?}");
        advanced.says("→ 50% ");
        project.done(&["rollback", M, "--to", "dual_write"]);
        project.done(&["resume", M]);
        let advanced = project.zdm(&["advance"]);
        advanced.says("→ 25% by instance");
        advanced.says("→ 50% by instance");
        advanced.says("→ 100% ");
    });
}

#[test]
fn what_makes_no_sense_is_refused() {
    on_sqlite(HASTY, |project| {
        for (arguments, words) in [
            (
                &["switch", "--to", "shadow", "--by", "instance"][..],
                "shadow is no share",
            ),
            (
                &["switch", "--to", "dual_write", "--by", "key"],
                "leave --by out",
            ),
            (
                &["switch", "--to", "25%", "--by", "host"],
                "neither `key` nor `instance`",
            ),
        ] {
            let run = project.zdm(arguments);
            assert_eq!(run.code, 2, "{run:#?}");
            run.says(words);
        }
    });
    let odd = Project::sqlite("ramp_by = \"host\"");
    let run = odd.zdm(&["status"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("neither `key` nor `instance`");
}
