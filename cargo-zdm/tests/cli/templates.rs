//! A project's own templates of generated Rust: written, changed, outdated, mistaken.

use std::path::PathBuf;

use crate::generate::{AFTER, user_crate};
use crate::project::Project;

const CODE: &str = "src/zdm/users.rs";

fn project() -> Project {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    project
}

fn text(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path(path)).unwrap()
}

fn own(file: &str) -> String {
    format!("zdm/templates/{file}")
}

fn replace(project: &Project, path: &str, from: &str, to: &str) {
    let before = text(project, path);
    assert!(before.contains(from), "{from} is not in {before}");
    project.write(path, &before.replacen(from, to, 1));
}

#[test]
fn ejected_templates_make_the_same_code() {
    let project = project();
    let listed = project
        .done(&["templates", "list", "--format", "json"])
        .object();
    let listed = listed["templates"].as_array().unwrap().clone();
    assert!(listed.len() > 10);
    assert!(listed.iter().all(|found| found["state"] == "built_in"));
    let dry = project.done(&["templates", "eject", "--dry-run", "--format", "json"]);
    assert_eq!(
        dry.object()["files"].as_array().unwrap().len(),
        listed.len()
    );
    assert!(!project.path("zdm/templates").exists());

    project
        .done(&["templates", "eject"])
        .says("dual_write/in_turn.rs.j2");
    assert_eq!(
        project.done(&["generate"]).out.trim(),
        "nothing has changed"
    );
    let check = project.done(&["check"]);
    check.says("everything is as it would be");
    check.says("note: zdm/templates/repository.rs.j2: it says what the built-in template says, so it can go");
    // Also in transition, where most of them are at work.
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    std::fs::remove_dir_all(project.path("zdm/templates")).unwrap();
    assert_eq!(
        project.done(&["generate"]).out.trim(),
        "nothing has changed"
    );
}

#[test]
fn a_changed_template_is_used_wherever_code_is_generated() {
    let project = project();
    let file = own("repository.rs.j2");
    project.done(&["templates", "eject", "repository"]);
    replace(
        &project,
        &file,
        "//! The table `{{ table }}`.",
        "//! Our table {{ table }}.",
    );
    project
        .done(&["templates", "list"])
        .says("repository.rs.j2                 yours\n");
    let diff = project.done(&["templates", "diff"]);
    diff.says("-//! The table `{{ table }}`.\n+//! Our table {{ table }}.\n");

    let check = project.zdm(&["check", "--format", "json"]).object();
    let findings = check["findings"].as_array().unwrap().clone();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        (&findings[0]["kind"], &findings[0]["place"]),
        (&"stale".into(), &CODE.into())
    );
    project.done(&["generate"]);
    assert!(text(&project, CODE).contains("\n//! Our table users.\n"));
    project.done(&["check"]);

    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    assert!(text(&project, CODE).contains("\n//! Our table users.\n"));
    project.done(&["finalize"]);
    assert!(text(&project, CODE).contains("\n//! Our table users.\n"));
    project.done(&["check"]);
}

#[test]
fn what_was_changed_is_not_overwritten() {
    let project = project();
    let file = own("header.rs.j2");
    project.done(&["templates", "eject", "header.rs.j2"]);
    project.write(&file, &format!("{}// ours\n", text(&project, &file)));
    let refused = project.zdm(&["templates", "eject", "header.rs.j2", "module"]);
    assert_eq!(refused.code, 2);
    refused.says("changed since ejected: zdm/templates/header.rs.j2");
    assert!(!project.path(own("module.rs.j2")).exists());
    let all = project.done(&["templates", "eject"]);
    all.says("left as they are, since you changed them: zdm/templates/header.rs.j2");
    assert!(text(&project, &file).ends_with("// ours\n"));
    assert!(project.path(own("module.rs.j2")).exists());
    let unknown = project.zdm(&["templates", "eject", "statement/insert.sql.j2"]);
    assert_eq!(unknown.code, 2);
    unknown.says("write protocol");
}

#[test]
fn check_tells_of_a_template_that_is_older_than_the_built_in_one() {
    let project = project();
    let file = own("module.rs.j2");
    project.done(&["templates", "eject", "module.rs.j2"]);
    let ejected = text(&project, &file);
    let (mark, body) = ejected.split_once('\n').unwrap();
    let ours = "{# ours #}\n";
    project.write(
        &file,
        &format!("{{# zdm: from 0123456789abcdef #}}\n{body}{ours}"),
    );
    project.zdm(&["generate"]);
    let check = project.zdm(&["check"]);
    assert_eq!(check.code, 1);
    check.says("template: zdm/templates/module.rs.j2: the built-in template has changed since this one was ejected");
    check.says(&format!("and begin the file with `{mark}`"));
    let diff = project.done(&["templates", "diff", "module"]);
    diff.says(&format!("begin zdm/templates/module.rs.j2 with\n{mark}"));

    project.write(&file, &format!("{mark}\n{body}{ours}"));
    project.done(&["check"]);
    project.write(&file, &format!("{body}{ours}"));
    project
        .zdm(&["check"])
        .says("does not say which built-in text it was taken from");
}

#[test]
fn a_file_that_is_no_template_is_told() {
    let project = project();
    std::fs::create_dir_all(project.path("zdm/templates/statement")).unwrap();
    for (file, said) in [
        (
            "repositry.rs.j2",
            "no template is called so: rename or remove it",
        ),
        (
            "dual_write.rs.j2",
            "rename it to dual_write/dual_write.rs.j2",
        ),
        (
            "statement/insert.sql.j2",
            "statements are the write protocol",
        ),
    ] {
        project.write(&own(file), "");
        for command in ["generate", "check", "finalize"] {
            let run = project.zdm(&[command]);
            assert_eq!(run.code, 1, "{run:#?}");
            run.says(&format!("zdm/templates/{file}: "));
            run.says(said);
        }
        std::fs::remove_file(project.path(own(file))).unwrap();
    }
    project.write(&own(".keep"), "");
    project.done(&["check"]);
}

#[test]
fn a_mistake_in_a_template_is_shown_at_its_line_and_nothing_is_written() {
    let project = project();
    let file = own("repository.rs.j2");
    let before = files(&project);
    for (from, to, said) in [
        (
            "//! The table",
            "{{ tabel }}//! The table",
            "undefined value",
        ),
        (
            "//! The table",
            "{% fro x %}//! The table",
            "syntax error: unknown statement fro",
        ),
        (
            "//! The table",
            "fn fn fn\n//! The table",
            "The project has templates of its own",
        ),
        (
            "{% include \"header\" %}",
            "",
            "has to begin with `// @generated by cargo zdm`",
        ),
    ] {
        project.done(&["templates", "eject", "repository.rs.j2"]);
        replace(&project, &file, from, to);
        project.write("src/models.rs", AFTER);
        let run = project.zdm(&["generate"]);
        assert_eq!(run.code, 1, "{run:#?}");
        run.says(said);
        run.says("zdm/templates/repository.rs.j2");
        run.says("nothing has been written");
        if said.starts_with("und") || said.starts_with("syn") {
            let line = text(&project, &file)
                .lines()
                .position(|line| line.contains(to))
                .unwrap();
            run.says(&format!(
                "zdm/templates/repository.rs.j2:{}: {said}",
                line + 1
            ));
        }
        std::fs::remove_dir_all(project.path("zdm/templates")).unwrap();
        project.write("src/models.rs", crate::generate::BEFORE);
        assert_eq!(files(&project), before);
    }
}

/// What the folders of versions and code hold.
fn files(project: &Project) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut folders, mut found) = (vec![project.path("zdm"), project.path("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_last_line_break_makes_no_template_another() {
    let project = project();
    project.done(&["templates", "eject"]);
    let path = own("repository.rs.j2");
    let ejected = text(&project, &path);
    for same in [ejected.trim_end_matches('\n').to_owned(), ejected + "\n"] {
        project.write(&path, &same);
        let listed = project.done(&["templates", "list", "--format", "json"]);
        let listed = listed.object();
        let all = listed["templates"].as_array().unwrap();
        let found = all.iter().find(|found| found["name"] == "repository.rs.j2");
        assert_eq!(found.unwrap()["state"], "same", "{found:?}");
        project
            .done(&["check"])
            .says("zdm/templates/repository.rs.j2: it says what the built-in template says");
    }
}
