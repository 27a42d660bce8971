//! Real schemas, taken over and made again: a local experiment, since nothing of them is part of the project.
//!
//!     ZDM_REAL_SCHEMAS=…/folder-of-sql-files cargo test -p zdm-tests --test import -- --ignored --nocapture

use std::collections::BTreeMap;
use std::path::PathBuf;

use zdm_tests::postgres::Server;

use zdm_tests::project::{Project, execute, imported, left_out};

/// Every dump below the folder: the models compile no compiler's time here, but say what was read, and a second reading of
/// the database says the same.
#[tokio::test]
#[ignore = "needs real schemas: ZDM_REAL_SCHEMAS=…, a folder with dumps of `pg_dump --schema-only`"]
async fn real_schemas_are_taken_over() {
    let folder = std::env::var("ZDM_REAL_SCHEMAS")
        .expect("ZDM_REAL_SCHEMAS names a folder with dumps of `pg_dump --schema-only`");
    let mut dumps: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("ZDM_REAL_SCHEMAS={folder}: {error}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    dumps.sort();
    let search_path = std::env::var("ZDM_REAL_SEARCH_PATH").unwrap_or_else(|_| "public".to_owned());
    let server = Server::start();
    let mut last = None;
    for (number, dump) in dumps.iter().enumerate() {
        let url = server.database(&format!("real{number}"));
        execute(&url, &std::fs::read_to_string(dump).unwrap()).await;
        let url = format!("{url}&options=-csearch_path%3D{search_path}");
        let before = imported(&url).await;
        if before.schema.tables.is_empty() {
            println!("{}: no table", dump.display());
            continue;
        }
        let project = Project::new(url.clone());
        let run = project.done(&["import"]);
        assert_eq!(project.declared(), before.schema, "{}", dump.display());
        assert_eq!(
            project.zdm(&["diff"]).status.code(),
            Some(0),
            "{}",
            dump.display()
        );
        assert_eq!(
            project.zdm(&["check"]).status.code(),
            Some(0),
            "{}",
            dump.display()
        );
        last = Some((project, run, before));
    }
    let (project, run, before) = last.expect("a dump with tables");
    project.is_tidy();
    project.done(&["expand"]);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in left_out(&run) {
        println!("{line}");
        let (sign_and_what, _) = line.split_once(": ").unwrap_or((&line, ""));
        let what: Vec<_> = sign_and_what.split(' ').collect();
        *counts.entry(what[..what.len() - 1].join(" ")).or_default() += 1;
    }
    let count =
        |of: fn(&zdm_model::Table) -> usize| before.schema.tables.iter().map(of).sum::<usize>();
    println!(
        "{} dumps; the last: {} tables, {} columns, {} indexes, {} checks, {} foreign keys; {counts:#?}",
        dumps.len(),
        before.schema.tables.len(),
        count(|table| table.columns.len()),
        count(|table| table.indexes.len()),
        count(|table| table.checks.len()),
        count(|table| table.foreign_keys.len()),
    );
}
