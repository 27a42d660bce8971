//! `review --pr` in a repository of git's own: what is committed, what is refused, what is left as it was.

use std::process::Command;

use crate::generate::{AFTER, BEFORE, user_crate};
use crate::project::{Project, Run};

const BRANCH: &str = "zdm/0002_users_full_name";

pub(crate) fn git(project: &Project, arguments: &[&str]) -> Run {
    let mut command = Command::new("git");
    command.args(arguments);
    project.run(command)
}

pub(crate) fn git_done(project: &Project, arguments: &[&str]) -> String {
    let run = git(project, arguments);
    assert_eq!(run.code, 0, "git {arguments:?}: {run:#?}");
    run.out.trim_end().to_owned()
}

/// A crate with its first version, committed on main.
pub(crate) fn repository() -> Project {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write(".gitignore", "/target\n/Cargo.lock\n");
    project.done(&["init"]);
    git_done(&project, &["init", "--quiet", "--initial-branch", "main"]);
    for (key, value) in [
        ("user.name", "Ada"),
        ("user.email", "ada@example.org"),
        ("commit.gpgsign", "false"),
        ("core.hooksPath", ".git/hooks"),
    ] {
        git_done(&project, &["config", key, value]);
    }
    commit_all(&project);
    project
}

fn commit_all(project: &Project) {
    git_done(project, &["add", "--all"]);
    git_done(project, &["commit", "--quiet", "--message", "All"]);
}

/// The same with a second version that is not committed.
fn with_version() -> Project {
    let project = repository();
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    project
}

fn branches(project: &Project) -> String {
    git_done(project, &["branch", "--list", "--format=%(refname:short)"])
}

#[test]
fn a_version_becomes_a_commit_on_a_branch_and_nothing_else_does() {
    let project = with_version();
    project.write("notes.txt", "mine\n");
    project.write(
        "src/lib.rs",
        &(text(&project, "src/lib.rs") + "// also the root of the models\n"),
    );
    let made = project
        .done(&["review", "--pr", "--format", "json"])
        .object();
    assert_eq!(made["branch"], BRANCH);
    assert_eq!(made["left"], serde_json::json!(["notes.txt"]));
    assert_eq!(
        git_done(&project, &["rev-parse", "HEAD"]),
        made["commit"].as_str().unwrap()
    );
    assert_eq!(git_done(&project, &["branch", "--show-current"]), BRANCH);
    assert_eq!(
        git_done(&project, &["status", "--porcelain"]),
        "?? notes.txt"
    );
    let committed = git_done(&project, &["show", "--name-only", "--format=", "HEAD"]);
    for file in [
        "src/lib.rs",
        "src/models.rs",
        "src/zdm/users.rs",
        "src/zdm/m0002_users_full_name/dual_write.rs",
        "zdm/0002_users_full_name/plan.toml",
        "zdm/zdm.sum",
    ] {
        assert!(
            committed.lines().any(|line| line == file),
            "{file}: {committed}"
        );
    }
    assert_eq!(
        committed.lines().count(),
        made["files"].as_array().unwrap().len()
    );

    let message = git_done(&project, &["log", "-1", "--format=%B"]);
    assert_eq!(
        message.lines().next(),
        Some("Rename users.name to full_name")
    );
    assert!(message.contains("Five phases"), "{message}");
    assert!(
        message.contains("- 5_contract/2_drop: drop the column users.name"),
        "{message}"
    );
    let body = std::fs::read_to_string(made["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, made["page"].as_str().unwrap());
    for part in [
        "Five phases",
        "**Point of no return:** `5_contract/2_drop`",
        "## Checklist\n\n### Before the merge\n\n- [ ] the changes above",
        "restored\n- [ ] `cargo zdm rehearse` has gone the whole way and back\n\n### Phase by phase",
        "- [ ] expand: `cargo zdm advance --before-deploy`",
        "- [ ] `cargo zdm finalize users_full_name`",
        "## 1_expand\n\n`zdm/0002_users_full_name/1_expand/up.sql`",
        "| # | statement | lock | writers | takes | undo | from |",
        "Gates: every step waits",
        "## Runbook",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert_eq!(body.matches("## Checklist").count(), 1);
    assert!(!body.contains("]("), "links lead nowhere there: {body}");
    let next = made["next"][1].as_str().unwrap();
    assert!(
        next.starts_with("gh pr create --title 'Rename users.name to full_name' --body-file '")
    );

    let again = project.zdm(&["review", "--pr"]);
    assert_eq!(again.code, 2);
    again.says("there is a branch zdm/0002_users_full_name already");
}

fn text(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path(path)).unwrap()
}

#[test]
fn a_dry_run_shows_all_of_it_and_makes_nothing() {
    let project = with_version();
    let before = git_done(&project, &["status", "--porcelain"]);
    let shown = project.done(&["review", "--pr", "--dry-run"]);
    shown.says("would commit on zdm/0002_users_full_name");
    shown.says("Rename users.name to full_name");
    shown.says("  src/models.rs");
    shown.says("### Before the merge");
    shown.says("git push -u origin zdm/0002_users_full_name");
    assert_eq!(branches(&project), "main");
    assert_eq!(git_done(&project, &["status", "--porcelain"]), before);
    assert!(!project.path(".git/zdm-pull-request.md").exists());
}

#[cfg(unix)]
#[test]
fn a_hook_that_refuses_leaves_everything_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = with_version();
    let hook = project.path(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho not on a Friday >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (before, head) = (
        git_done(&project, &["status", "--porcelain"]),
        git_done(&project, &["rev-parse", "HEAD"]),
    );
    let refused = project.zdm(&["review", "--pr"]);
    assert_eq!(refused.code, 1);
    refused.says("not on a Friday");
    refused.says("no branch was left behind");
    assert_eq!(branches(&project), "main");
    assert_eq!(git_done(&project, &["branch", "--show-current"]), "main");
    assert_eq!(git_done(&project, &["rev-parse", "HEAD"]), head);
    assert_eq!(git_done(&project, &["status", "--porcelain"]), before);
    // The same from a commit without a branch.
    git_done(&project, &["checkout", "--quiet", "--detach"]);
    assert_eq!(project.zdm(&["review", "--pr"]).code, 1);
    assert_eq!(git_done(&project, &["branch", "--show-current"]), "");
    assert_eq!(git_done(&project, &["rev-parse", "HEAD"]), head);
    assert_eq!(git_done(&project, &["status", "--porcelain"]), before);
}

#[test]
fn what_would_not_be_this_version_alone_is_refused() {
    let project = with_version();
    let refused = |words: &str, code: i32| {
        let run = project.zdm(&["review", "--pr"]);
        assert_eq!(run.code, code, "{run:#?}");
        run.says(words);
        run.says("nothing has been changed");
        assert_eq!(branches(&project), "main");
    };
    project.write("notes.txt", "mine\n");
    git_done(&project, &["add", "notes.txt"]);
    refused("something is staged already: notes.txt", 2);
    git_done(&project, &["reset", "--quiet"]);
    let more = "pub full_name: String,\n    pub nick: Option<String>,";
    project.write(
        "src/models.rs",
        &AFTER.replace("pub full_name: String,", more),
    );
    refused("cargo zdm check", 1);
    project.write("src/models.rs", AFTER);
    commit_all(&project);
    refused("0002_users_full_name has nothing to commit", 2);
    let shown = project.zdm(&["review", "--dry-run"]);
    assert_eq!(shown.code, 2, "--dry-run is of --pr: {shown:#?}");
}

#[test]
fn without_git_nothing_is_done() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    let run = project.zdm(&["review", "--pr"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("not a git repository");
    run.says("nothing has been changed");
    git_done(&project, &["init", "--quiet"]);
    let run = project.zdm(&["review", "--pr"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("the repository has no commit yet");
}

#[test]
fn every_file_on_the_way_to_a_model_is_committed_and_what_held_one() {
    let project = repository();
    project.write(
        "src/lib.rs",
        "pub mod models;\npub mod more;\npub mod zdm;\n",
    );
    std::fs::create_dir_all(project.path("src/more/deep")).unwrap();
    project.write("src/more/mod.rs", "pub mod deep;\n");
    project.write("src/more/deep.rs", "pub mod tag;\n");
    let tag = AFTER
        .replace("User", "Tag")
        .replace("    #[zdm(renamed_from = \"name\")]\n", "");
    project.write("src/more/deep/tag.rs", &tag);
    project.done(&["generate", "tags"]);
    project.done(&["review", "--pr"]);
    assert_eq!(git_done(&project, &["status", "--porcelain"]), "");

    std::fs::remove_file(project.path("src/more/deep/tag.rs")).unwrap();
    project.write("src/more/deep.rs", "\n");
    project.done(&["generate", "no_tags", "--drop-table", "tags"]);
    project.done(&["review", "--pr"]);
    assert_eq!(git_done(&project, &["status", "--porcelain"]), "");
}

#[test]
fn two_versions_do_not_become_one_commit() {
    let project = with_version();
    let tag = "\n#[derive(Migratable, Debug, Clone)]\npub struct Tag {\n    #[zdm(primary_key, auto)]\n    pub id: i64,\n}\n";
    project.write("src/models.rs", &format!("{AFTER}{tag}"));
    project.done(&["generate", "tags"]);
    for asked in ["0002", "0003"] {
        let run = project.zdm(&["review", asked, "--pr"]);
        assert_eq!(run.code, 2, "{run:#?}");
        let other = ["0003_tags", "0002_users_full_name"][usize::from(asked == "0003")];
        run.says(&format!("{other} has changes too"));
        run.says("nothing has been changed");
    }
    assert_eq!(branches(&project), "main");
}

#[cfg(unix)]
fn hook(project: &Project, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let hook = project.path(".git/hooks").join(name);
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, text).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn no_hook_of_checkout_and_no_tag_stands_in_the_way() {
    let project = with_version();
    git_done(&project, &["tag", "main"]);
    hook(&project, "post-checkout", "#!/bin/sh\nexit 1\n");
    hook(&project, "pre-commit", "#!/bin/sh\nexit 1\n");
    let before = git_done(&project, &["status", "--porcelain"]);
    let refused = project.zdm(&["review", "--pr"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("no branch was left behind");
    let on = || git_done(&project, &["symbolic-ref", "HEAD"]);
    assert_eq!(on(), "refs/heads/main");
    assert_eq!(git_done(&project, &["status", "--porcelain"]), before);
    let listed = ["for-each-ref", "--format=%(refname)", "refs/heads"];
    assert_eq!(git_done(&project, &listed), "refs/heads/main");
    std::fs::remove_file(project.path(".git/hooks/pre-commit")).unwrap();
    project.done(&["review", "--pr"]);
    assert_eq!(on(), format!("refs/heads/{BRANCH}"));
    assert_eq!(git_done(&project, &["status", "--porcelain"]), "");
}

#[test]
fn what_git_is_in_the_middle_of_is_not_disturbed() {
    let project = with_version();
    let head = git_done(&project, &["rev-parse", "HEAD"]);
    for (file, is_folder, words) in [
        ("MERGE_HEAD", false, "a merge"),
        ("CHERRY_PICK_HEAD", false, "a cherry-pick"),
        ("REVERT_HEAD", false, "a revert"),
        ("rebase-merge", true, "a rebase"),
        ("rebase-apply", true, "a rebase"),
    ] {
        let path = project.path(".git").join(file);
        if is_folder {
            std::fs::create_dir(&path).unwrap();
        } else {
            std::fs::write(&path, format!("{head}\n")).unwrap();
        }
        let run = project.zdm(&["review", "--pr"]);
        assert_eq!(run.code, 2, "{file}: {run:#?}");
        run.says(&format!("git is in the middle of {words}"));
        run.says("nothing has been changed");
        if is_folder {
            std::fs::remove_dir(&path).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
    }
    assert_eq!(branches(&project), "main");
}

#[test]
fn a_model_in_a_submodule_is_refused() {
    let project = repository();
    let tag = AFTER
        .replace("User", "Tag")
        .replace("    #[zdm(renamed_from = \"name\")]\n", "");
    project.write(
        "src/lib.rs",
        "pub mod models;\npub mod more;\npub mod zdm;\n",
    );
    std::fs::create_dir(project.path("src/more")).unwrap();
    project.write("src/more/mod.rs", &tag);
    let inside = |arguments: &[&str]| {
        let mut all = vec!["-C", "src/more", "-c", "user.name=Ada"];
        all.extend([
            "-c",
            "user.email=ada@example.org",
            "-c",
            "commit.gpgsign=false",
        ]);
        all.extend(arguments);
        git_done(&project, &all);
    };
    inside(&["init", "--quiet"]);
    inside(&["add", "--all"]);
    inside(&["commit", "--quiet", "--message", "Tags"]);
    project.done(&["generate", "tags"]);
    commit_all(&project);
    let more = "pub full_name: String,\n    pub nick: Option<String>,";
    project.write(
        "src/more/mod.rs",
        &tag.replace("pub full_name: String,", more),
    );
    project.done(&["generate", "nick"]);
    let run = project.zdm(&["review", "--pr"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("the submodule src/more");
    run.says("nothing has been changed");
    assert_eq!(branches(&project), "main");
}
