//! A command that writes files is killed between any two of its steps, and inside one: the same command run again writes
//! what an uninterrupted one does.
//!
//! `src/files.rs` writes every text beside its place, then puts them there in the order of their paths, then removes what
//! goes, and before each of the two it writes a journal. So what a kill leaves is known for each step, and is laid out here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use zdm_runtime::migration::hash;

use crate::full_disk::tree;
use crate::generate::{AFTER, user_crate};
use crate::project::Project;

/// Every file and folder (`None`) below the project.
type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

#[test]
fn init_is_killed_at_every_file() {
    let project = Project::sqlite("");
    user_crate(&project);
    goes_on_after_every_kill(&project, &["init"]);
}

#[test]
fn generate_is_killed_at_every_file() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    project.write("src/models.rs", AFTER);
    goes_on_after_every_kill(&project, &["generate"]);
}

#[test]
fn finalize_is_killed_at_every_file() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    goes_on_after_every_kill(&project, &["finalize"]);
}

/// The next command must not put an old text over what somebody wrote since.
#[test]
fn what_was_edited_after_the_kill_stays() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let before = all(&project.path(""));
    project.done(&["finalize"]);
    let after = all(&project.path(""));
    put(&project.path(""), &before);
    killed_while_placing(&project.path(""), &after, &steps(&before, &after), 0);
    let edited = format!("{AFTER}\n// A thought.\n");
    project.write("src/models.rs", &edited);
    project.done(&["generate"]);
    let stays = fs::read_to_string(project.path("src/models.rs")).unwrap();
    assert_eq!(stays, edited);
    let code = fs::read_to_string(project.path("zdm/code.toml")).unwrap();
    assert!(code.contains("final"), "{code}");
}

fn goes_on_after_every_kill(project: &Project, command: &[&str]) {
    let root = project.path("");
    let before = all(&root);
    project.done(command);
    let after = all(&root);
    let steps = steps(&before, &after);
    assert!(steps.len() > 2, "{steps:?}");
    let mut problems = Vec::new();
    let mut goes_on = |moment: String| {
        let again = project.zdm(command);
        let found = all(&root);
        if again.code != 0 || found != after {
            let paths = after.keys().chain(found.keys());
            let differ: Vec<_> = paths
                .filter(|path| found.get(*path) != after.get(*path))
                .collect();
            problems.push(format!(
                "{command:?} killed {moment}: {again:#?}, {differ:?} differ"
            ));
        }
    };
    for written in 0..=steps.len() {
        put(&root, &before);
        killed_while_writing(&root, &before, &after, &steps, written);
        goes_on(format!("after {written} texts"));
    }
    for placed in 0..=steps.len() {
        put(&root, &before);
        killed_while_placing(&root, &after, &steps, placed);
        goes_on(format!("after {placed} files"));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn all(root: &Path) -> Tree {
    let found = tree(root).into_iter();
    found
        .map(|(path, file)| (PathBuf::from(path), file))
        .collect()
}

/// What a command changes, in its order.
fn steps(before: &Tree, after: &Tree) -> Vec<PathBuf> {
    let written = after
        .iter()
        .filter(|(path, file)| file.is_some() && before.get(*path) != Some(*file));
    let removed = before
        .iter()
        .filter(|(path, file)| file.is_some() && !after.contains_key(*path));
    written
        .chain(removed)
        .map(|(path, _)| path.clone())
        .collect()
}

/// Lays out what is on disk when that many texts are written, the last of them half.
fn killed_while_writing(
    root: &Path,
    before: &Tree,
    after: &Tree,
    steps: &[PathBuf],
    written: usize,
) {
    let texts = || steps.iter().filter(|path| after.contains_key(*path));
    let folders: Vec<_> = texts().filter_map(|path| path.parent()).collect();
    let made: Vec<_> = after
        .iter()
        .filter(|(path, file)| file.is_none() && !before.contains_key(*path))
        .map(|(path, _)| path)
        .collect();
    journal(
        root,
        &json!({ "writing": { "folders": folders, "made": made } }),
    );
    for path in &made {
        fs::create_dir(root.join(path)).unwrap();
    }
    for (number, path) in texts().enumerate().take(written) {
        let text = after[path].as_ref().unwrap();
        let half = if number + 1 == written { 2 } else { 1 };
        fs::write(root.join(beside(path, number)), &text[..text.len() / half]).unwrap();
    }
}

/// Lays out what is on disk when that many files are in place or gone: the other texts lie beside their places.
fn killed_while_placing(root: &Path, after: &Tree, steps: &[PathBuf], placed: usize) {
    let (texts, superfluous): (Vec<_>, Vec<_>) =
        steps.iter().partition(|path| after.contains_key(*path));
    let files: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(number, path)| (beside(path, number), path))
        .collect();
    let written: Vec<_> = files
        .iter()
        .map(|(beside, path)| {
            let replaces = fs::read_to_string(root.join(path))
                .ok()
                .map(|text| hash(&text));
            json!({ "unfinished": beside, "path": path, "replaces": replaces })
        })
        .collect();
    journal(
        root,
        &json!({ "placing": { "files": written, "superfluous": superfluous } }),
    );
    for (number, (beside, path)) in files.iter().enumerate() {
        let at = if number < placed { *path } else { beside };
        fs::create_dir_all(root.join(at).parent().unwrap()).unwrap();
        fs::write(root.join(at), after[**path].as_ref().unwrap()).unwrap();
    }
    for path in superfluous.iter().take(placed.saturating_sub(texts.len())) {
        fs::remove_file(root.join(path)).unwrap();
    }
}

fn beside(path: &Path, number: usize) -> PathBuf {
    path.with_file_name(format!(".zdm-{number}.unfinished"))
}

fn journal(root: &Path, journal: &serde_json::Value) {
    fs::write(root.join(".zdm-journal"), journal.to_string()).unwrap();
}

/// Puts everything back.
fn put(root: &Path, tree: &Tree) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    for (path, file) in tree {
        let path = root.join(path);
        match file {
            None => fs::create_dir_all(path).unwrap(),
            Some(text) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
    }
}
