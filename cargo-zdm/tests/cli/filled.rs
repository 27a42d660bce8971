//! A new column that is filled from its row has no old side: its way back leads from every stage to before it.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

const FILL: &str = "    #[zdm(up = \"lower(name)\")]\n    pub slug: String,\n    pub name: String";
const FILL_AND_RENAME: &str = "    #[zdm(up = \"lower(name)\")]\n    pub slug: String,\n    pub name: String,\n    \
                               #[zdm(renamed_from = \"note\")]\n    pub remark: Option<String>";

#[test]
fn a_fill_goes_back_from_every_stage_on_sqlite() {
    from_every_stage(&Project::sqlite(""), "", FILL);
}

#[test]
fn a_fill_goes_back_from_every_stage_on_postgres() {
    let server = Server::start();
    from_every_stage(&Project::on(server.database("app"), ""), "", FILL);
}

#[test]
fn a_fill_beside_a_rename_goes_back_from_every_stage_on_sqlite() {
    from_every_stage(&Project::sqlite(""), NOTE, FILL_AND_RENAME);
}

#[test]
fn a_fill_beside_a_rename_goes_back_from_every_stage_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    from_every_stage(&project, NOTE, FILL_AND_RENAME);
}

const NOTE: &str = ",\n    pub note: Option<String>";

fn from_every_stage(project: &Project, before: &str, after: &str) {
    let name = "    pub name: String";
    user_crate(project);
    project.write(
        "src/models.rs",
        &BEFORE.replace(name, &format!("{name}{before}")),
    );
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('Ada')");
    project.write("src/models.rs", &BEFORE.replace(name, after));
    project.done(&["generate", "slug"]);
    for (target, back) in [
        ("off", &["absent"][..]),
        ("dual_write", &["off", "absent"]),
        ("shadow", &["dual_write", "off", "absent"]),
        ("live", &["dual_write", "off", "absent"]),
        ("ramp_down", &["dual_write", "off", "absent"]),
        ("complete", &["ramp_down", "dual_write", "off", "absent"]),
    ] {
        forward(project, target);
        for stage in back {
            let run = project
                .done(&["rollback", "slug", "--to", stage, "--format", "json"])
                .object();
            assert_eq!(run["to"], *stage, "from {target}: {run}");
        }
        // As code from before writes it.
        project.execute("INSERT INTO users (name) VALUES ('Grace')");
    }
    assert_eq!(project.value("SELECT count(*) FROM users"), "7");
}

fn forward(project: &Project, target: &str) {
    project.done(&["expand"]);
    let steps: [(&str, &[&[&str]]); 5] = [
        ("dual_write", &[&["switch", "--to", "dual_write"]]),
        (
            "shadow",
            &[&["backfill"], &["verify"], &["switch", "--to", "shadow"]],
        ),
        ("live", &[&["switch", "--to", "100%"]]),
        (
            "ramp_down",
            &[&["verify"], &["switch", "--to", "ramp_down"]],
        ),
        ("complete", &[&["switch", "--to", "complete"]]),
    ];
    for (stage, commands) in steps {
        if project.stage("slug") == target {
            return;
        }
        for command in commands {
            project.done(command);
        }
        assert_eq!(project.stage("slug"), stage);
    }
}
