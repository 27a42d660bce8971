//! A one-way version that keeps old: what is told of its way back, stage by stage, to people and to programs.

use serde_json::Value;
use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const BEFORE: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    pub name: String,
    pub email: String,
}
";

const AFTER: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    #[zdm(renamed_from = \"name\")]
    pub title: String,
    #[zdm(from(\"email\"), up = \"lower(email)\", one_way)]
    pub email_key: String,
}
";

const TO_COME: &str = "point of no return: the migration is one-way";
const BEHIND: &str = "the first dual write was its point of no return";

/// What both formats say where it stands: whether nothing leads back below the first dual write, and what comes next.
fn told(project: &Project, stage: &str, no_return: Option<&str>, next: &str) -> Value {
    let shown = project.done(&["status", "parts"]);
    shown.says(&format!("0002_parts: {stage}"));
    shown.says(&format!("  next: {next}"));
    let answer = project.done(&["status", "parts", "--format", "json"]);
    let status = answer.object()["migrations"][0].clone();
    assert_eq!(status["stage"], stage, "{status}");
    let next_told = status["next"].as_str().unwrap();
    assert!(next_told.starts_with(next), "{status}");
    let behind = status["no_return"].as_str();
    match no_return {
        None => assert_eq!(behind, None, "{status}"),
        Some(words) => {
            shown.says(words);
            assert!(behind.is_some_and(|told| told.contains(words)), "{status}");
        }
    }
    status
}

#[test]
fn the_way_back_is_told_as_it_is() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    be_hasty(project);
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let asked = written.replace("[generate]\n", "[generate]\nkeep = \"14d\"\n");
    project.write("zdm.toml", &asked);
    project.done(&["expand"]);
    project.execute("INSERT INTO parts VALUES (1, 'bolt', 'A@b')");
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "parts"]);
    let page = project.done(&["review", "parts"]);
    page.says("contract alone can be taken back, as long as old is kept");
    page.says("Contract by itself can be taken back until `5_contract/3_drop`, to `complete`");
    page.says("nothing leads further (`one_way`)");
    project.done(&["expand"]);

    told(project, "off", Some(TO_COME), "dual_write");
    project.done(&["switch", "--to", "dual_write", "parts"]);
    told(project, "dual_write", Some(BEHIND), "shadow");
    let next = [
        ("shadow", "shadow", "live"),
        ("100%", "live", "ramp_down"),
        ("ramp_down", "ramp_down", "complete"),
        (
            "complete",
            "complete",
            "contract: old gets another name, under which it is kept for 14 days",
        ),
    ];
    for (to, stage, next) in next {
        if to == "shadow" {
            project.done(&["backfill", "parts"]);
        }
        if to != "complete" {
            project.done(&["verify", "parts"]);
        }
        project.done(&["switch", "--to", to, "parts"]);
        told(project, stage, Some(BEHIND), next);
    }
    let refused = project.zdm(&["rollback", "parts"]);
    assert_eq!(refused.code, 2, "{refused:#?}");
    refused.says("nothing declares how old is computed from new");
    refused.says("until contract old holds what writes left in it");

    project.done(&["finalize", "parts"]);
    let contracted = project.done(&["contract", "parts"]);
    contracted.says("gives it its name back, at `complete`, and leads no further");
    let dropped_next = "drop what is kept: from then on nothing brings old back";
    let kept = told(project, "kept", Some(BEHIND), dropped_next);
    assert!(kept["kept_until"].as_str().is_some(), "{kept}");
    assert_eq!(kept["kept_as_they_were"][0], "parts.email", "{kept}");
    let shown = project.done(&["status", "parts"]);
    shown.says(
        "`cargo zdm rollback parts` gives it its name back, at `complete`, and leads no further",
    );
    assert!(!shown.out.contains("brings it back"), "{shown:#?}");
    let further = project.zdm(&["rollback", "--to", "ramp_down", "parts"]);
    assert_eq!(further.code, 2, "{further:#?}");
    further.says("--to complete");
    let planned = project.done(&["rollback", "--dry-run", "parts"]);
    planned.says("nothing leads further back");
    assert!(!planned.out.contains("is open again"), "{planned:#?}");
    project.done(&["rollback", "parts"]).says("kept → complete");
    told(project, "complete", Some(BEHIND), "contract");
    assert_eq!(project.value("SELECT name || email FROM parts"), "boltA@b");

    project.done(&["contract", "parts"]);
    project.execute("UPDATE zdm.migration SET kept_until = 1 WHERE kept_until IS NOT NULL");
    project
        .done(&["contract", "parts"])
        .says("nothing brings it back");
    let done = project
        .done(&["status", "parts", "--format", "json"])
        .object();
    assert_eq!(done["migrations"][0]["done"], true, "{done}");
    assert_eq!(done["migrations"][0]["no_return"], Value::Null, "{done}");
}
