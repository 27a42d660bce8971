//! Commands that only look leave the file of `SQLite` as it is, its journal included.

use crate::database::{HASTY, on_sqlite};

#[test]
fn a_dry_run_on_a_file_that_is_not_there_shows_the_sql_and_creates_nothing() {
    on_sqlite(HASTY, |project| {
        let file = project.url.trim_start_matches("sqlite://").to_owned();
        let run = project.done(&["expand", "--dry-run"]);
        run.says("CREATE TABLE users");
        project.done(&["advance", "--dry-run"]);
        assert!(!std::path::Path::new(&file).exists());
    });
}

#[test]
fn the_journal_of_a_file_that_is_there_stays_its_owners_choice() {
    on_sqlite(HASTY, |project| {
        project.execute("PRAGMA journal_mode = DELETE");
        let journal = || project.value("PRAGMA journal_mode");
        project.done(&["expand", "--dry-run"]);
        assert_eq!(journal(), "delete");
        project.done(&["expand"]);
        project.done(&["status"]);
        assert_eq!(journal(), "delete");
    });
}

#[test]
fn a_file_that_the_tool_creates_has_a_write_ahead_log() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        assert_eq!(project.value("PRAGMA journal_mode"), "wal");
    });
}
