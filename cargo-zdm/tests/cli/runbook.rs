//! The commands of the review page's runbook, run in the order in which they stand there.

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

#[test]
fn who_follows_the_runbook_agrees_where_there_is_something_to_agree_to() {
    let project = &Project::sqlite("");
    user_crate(project);
    let with = |fields: &str| BEFORE.replace("pub name: String", fields);
    project.write(
        "src/models.rs",
        &with("pub name: String,\n    pub spare: Option<String>"),
    );
    project.done(&["init"]);
    be_hasty(project);
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    project.write(
        "zdm.toml",
        &written.replace("[policy]\n", "[policy]\napprovals = 1\n"),
    );
    project.done(&["expand"]);
    let drops = "#[zdm(drops(\"spare\"))]\npub struct";
    project.write("src/models.rs", &BEFORE.replace("pub struct", drops));
    project.done(&["generate", "gone"]);
    let shown = project.done(&["review", "gone"]);
    let runbook = shown.out.split_once("## Runbook").unwrap().1;
    let block = runbook.split_once("```sh\n").unwrap().1;
    let block = block.split_once("```").unwrap().0;
    let commands = block
        .lines()
        .filter_map(|line| line.strip_prefix("cargo zdm "));
    let mut approved = false;
    for command in commands {
        let command = command.split('#').next().unwrap();
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        if arguments[0] == "approve" {
            arguments.extend(["--actor", "somebody@else"]);
            approved = true;
        }
        project.done(&arguments);
    }
    assert!(approved, "{block}");
    assert_eq!(project.stage("gone"), "contracted");
}
