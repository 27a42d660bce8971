//! The workflow and the hooks that `ci` writes: their form, and the hook in a repository.

use std::path::Path;
use std::process::Command;

use crate::generate::AFTER;
use crate::project::{Project, Run};
use crate::pull_request::{git_done, repository};

/// The keys of a YAML file with their depth, where it is one of the plain kind: two spaces a level, mappings, lists of mappings or
/// plain words, blocks of text.
fn keys(yaml: &str) -> Vec<(usize, String)> {
    let mut keys = Vec::new();
    let mut block: Option<usize> = None;
    for line in yaml.lines() {
        assert!(!line.contains('\t') && line.trim_end() == line, "{line:?}");
        let depth = line.len() - line.trim_start().len();
        let mut rest = line.trim_start();
        if rest.is_empty() || block.is_some_and(|above| depth > above) {
            continue;
        }
        block = None;
        if rest.starts_with('#') {
            continue;
        }
        assert_eq!(depth % 2, 0, "{line:?}");
        let mut depth = depth;
        if let Some(item) = rest.strip_prefix("- ") {
            (rest, depth) = (item, depth + 2);
        }
        let (key, value) = rest
            .split_once(':')
            .unwrap_or_else(|| panic!("no key: {line:?}"));
        assert!(value.is_empty() || value.starts_with(' '), "{line:?}");
        let value = value.trim();
        assert!(
            value.starts_with(['"', '\'', '[']) || !value.contains(": ") && !value.contains(" #"),
            "has to be quoted: {line:?}"
        );
        if value == "|" {
            block = Some(depth);
        }
        keys.push((depth, key.to_owned()));
    }
    keys
}

fn text(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path(path)).unwrap()
}

#[test]
fn the_workflow_is_well_formed_and_written_once() {
    let project = repository();
    let path = ".github/workflows/zdm.yml";
    project
        .done(&["ci", "github", "--dry-run"])
        .says("cargo zdm check");
    assert!(!project.path(path).exists());
    project.done(&["ci", "github"]).says(path);
    let workflow = text(&project, path);
    let keys = keys(&workflow);
    let at = |depth: usize| -> Vec<&str> {
        let found = keys.iter().filter(|(found, _)| *found == depth);
        found.map(|(_, key)| key.as_str()).collect()
    };
    assert_eq!(at(0), ["name", "on", "permissions", "jobs"]);
    assert_eq!(at(2)[3..], ["check", "rehearse"]);
    assert!(
        !workflow.contains("{%") && !workflow.contains("postgres:"),
        "{workflow}"
    );
    assert!(
        workflow.contains("        run: cargo zdm rehearse --if-possible\n"),
        "{workflow}"
    );
    project
        .done(&["ci", "github"])
        .says("is there as it would be written");
    project.write(path, "name: ours\n");
    let refused = project.zdm(&["ci", "github"]);
    assert_eq!(refused.code, 2);
    refused.says("is there already");
    assert_eq!(text(&project, path), "name: ours\n");

    let config = text(&project, "zdm.toml").replace("sqlite", "postgres");
    project.write("zdm.toml", &config);
    std::fs::remove_file(project.path(path)).unwrap();
    project.done(&["ci", "github"]);
    let workflow = text(&project, path);
    assert!(keys_of(&workflow).contains(&"services".to_owned()));
    assert!(workflow.contains("    services:\n      postgres:\n        image: postgres:"));
    assert!(
        workflow.contains(
            "--if-possible --scratch-url postgres://postgres:postgres@localhost/scratch\n"
        )
    );
    assert!(
        workflow.contains("#          DATABASE_URL: ${{ secrets.DATABASE_URL }}\n"),
        "{workflow}"
    );
}

fn keys_of(yaml: &str) -> Vec<String> {
    keys(yaml).into_iter().map(|(_, key)| key).collect()
}

#[test]
fn the_configuration_of_pre_commit_is_well_formed() {
    let project = repository();
    project.done(&["ci", "pre-commit"]);
    let written = text(&project, ".pre-commit-config.yaml");
    assert_eq!(
        keys_of(&written),
        [
            "repos",
            "repo",
            "hooks",
            "id",
            "name",
            "entry",
            "language",
            "pass_filenames",
            "always_run"
        ]
    );
    assert!(
        written.contains("entry: sh -c 'cd . && cargo zdm check'\n"),
        "{written}"
    );
}

/// `git commit`, with the tool where cargo finds it.
fn commit(project: &Project) -> Run {
    let tool = Path::new(env!("CARGO_BIN_EXE_cargo-zdm"));
    let mut paths = vec![tool.parent().unwrap().to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = Command::new("git");
    command
        .args(["commit", "--quiet", "--all", "--message", "A change"])
        .env("PATH", std::env::join_paths(paths).unwrap());
    project.run(command)
}

#[cfg(unix)]
#[test]
fn the_hook_keeps_stale_code_out_of_commits() {
    let project = repository();
    project
        .done(&["ci", "hook"])
        .says("git config core.hooksPath .git-hooks");
    git_done(&project, &["config", "core.hooksPath", ".git-hooks"]);
    project.write("src/models.rs", AFTER);
    let head = git_done(&project, &["rev-parse", "HEAD"]);
    let refused = commit(&project);
    assert_ne!(refused.code, 0);
    refused.says("no version has this change of the structs");
    assert_eq!(git_done(&project, &["rev-parse", "HEAD"]), head);
    project.done(&["generate"]);
    git_done(&project, &["add", "--all"]);
    let done = commit(&project);
    assert_eq!(done.code, 0, "{done:#?}");
    assert_ne!(git_done(&project, &["rev-parse", "HEAD"]), head);
}

/// A project in a folder of the repository, and a `cargo` that says where it was called.
#[cfg(unix)]
#[test]
fn both_hooks_find_a_folder_of_any_name() {
    use std::os::unix::fs::PermissionsExt as _;
    for folder in ["crates/shop", "my crate", "it's $HOME; # {% 'x' \"y\": \\z"] {
        let project = Project::sqlite("");
        git_done(&project, &["init", "--quiet"]);
        let below = project.path(folder);
        std::fs::create_dir_all(&below).unwrap();
        std::fs::remove_file(project.path("zdm.toml")).unwrap();
        let config = "[database]\ndialect = \"sqlite\"\n";
        std::fs::write(below.join("zdm.toml"), config).unwrap();
        let bin = project.path("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("cargo"), "#!/bin/sh\npwd -P\n").unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("cargo"), executable).unwrap();
        for what in ["hook", "pre-commit"] {
            let mut command = Command::new("sh");
            command.args(["-c", "cd \"$1\" && exec \"$2\" ci \"$3\"", "sh", folder]);
            command.args([env!("CARGO_BIN_EXE_zdm"), what]);
            let run = project.run(command);
            assert_eq!(run.code, 0, "{run:#?}");
        }
        let mut paths = vec![bin];
        paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let paths = std::env::join_paths(paths).unwrap();
        let wanted = below.canonicalize().unwrap();
        let leads_there = |mut command: Command| {
            command.env("PATH", &paths);
            let run = project.run(command);
            assert_eq!(run.code, 0, "{folder}: {run:#?}");
            assert_eq!(Path::new(run.out.trim_end()), wanted, "{run:#?}");
        };
        leads_there(Command::new(project.path(".git-hooks/pre-commit")));
        let written = text(&project, ".pre-commit-config.yaml");
        let mut lines = written.lines();
        let entry = lines
            .find_map(|line| line.trim().strip_prefix("entry: "))
            .unwrap();
        // A scalar of YAML in single quotes holds these doubled, and nothing else of its own.
        let quoted = entry
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        let entry = quoted.map_or(entry.to_owned(), |inside| inside.replace("''", "'"));
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&entry);
        leads_there(shell);
    }
}

#[test]
fn only_a_version_that_cannot_be_rehearsed_is_passed_over() {
    let project = repository();
    assert_eq!(project.zdm(&["rehearse"]).code, 2);
    let passed = project.done(&["rehearse", "--if-possible"]);
    passed.says("not rehearsed: 0001_");
    passed.says("is the first version");
    let passed = project.done(&["rehearse", "--if-possible", "--format", "json"]);
    assert_eq!(passed.object()["rehearsed"], false);
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let scratch = format!("sqlite://{}", project.path("no/such/folder.db").display());
    let fails = project.zdm(&["rehearse", "--if-possible", "--scratch-url", &scratch]);
    assert_ne!(fails.code, 0, "{fails:#?}");
    let config = text(&project, "zdm.toml");
    project.write("zdm.toml", &(config + "\nbroken"));
    let fails = project.zdm(&["rehearse", "--if-possible"]);
    assert_eq!(fails.code, 2, "{fails:#?}");
}
