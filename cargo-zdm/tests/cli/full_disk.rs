//! A disk that is full while `generate` writes: nothing is half written, and the same command works when there is room.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::generate::{AFTER, user_crate};
use crate::project::{Project, Run};

#[test]
fn a_full_disk_leaves_every_file_as_it_was() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    project.write("src/models.rs", AFTER);
    let before = tree(&project.path(""));
    for room in [0, 1, 2, 4, 8] {
        fails_and_changes_nothing(&project, room, "nothing has been written");
    }
    let [sum, code] = ["zdm/zdm.sum", "zdm/code.toml"]
        .map(|file| fs::read_to_string(project.path(file)).unwrap());
    project.done(&["generate"]);
    project.done(&["check"]);
    let after = tree(&project.path(""));
    assert_ne!(after, before);

    // The Rust code is there already, so that only the version's own files are left to write.
    fs::remove_dir_all(project.path("zdm/0002_users_full_name")).unwrap();
    project.write("zdm/zdm.sum", &sum);
    project.write("zdm/code.toml", &code);
    for room in [0, 1, 2] {
        fails_and_changes_nothing(&project, room, "nothing has been changed");
    }
    project.done(&["generate"]);
    assert_eq!(tree(&project.path("")), after);
}

fn fails_and_changes_nothing(project: &Project, room: u32, safe: &str) {
    let before = tree(&project.path(""));
    let run = generate_with(project, room);
    assert_eq!(run.code, 3, "{room}: {run:#?}");
    run.says("File too large");
    run.says(safe);
    run.says("then run the command again");
    assert!(tree(&project.path("")) == before, "{room}: {run:#?}");
}

/// `room` is in units of `ulimit -f`, half a kilobyte or one. A file that outgrows it is refused as a full disk refuses it, by an error of the write.
fn generate_with(project: &Project, room: u32) -> Run {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!(
        "trap '' XFSZ; ulimit -f {room}; exec '{}' generate --format human",
        env!("CARGO_BIN_EXE_zdm")
    ));
    project.run(shell)
}

/// Every file below a folder with its bytes, hidden ones and empty folders included.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                found.insert(name, None);
                folders.push(path);
            } else {
                found.insert(name, Some(fs::read(path).unwrap()));
            }
        }
    }
    found
}
