//! What is generated for every kind of change, on every dialect. `ZDM_BLESS=1` writes it anew: read the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_zdm::changes::KINDS;
use cargo_zdm::dialect::Dialect;
use cargo_zdm::plan::Statement;
use cargo_zdm::render::review;
use zdm_runtime::manifest::{Manifest, Route};
use zdm_runtime::phase::Phase;
use zdm_tests::cases::Case;

#[test]
fn every_case_gives_the_expected_files() {
    let mut differences = Vec::new();
    for case in Case::all() {
        for name in Dialect::names() {
            let dialect = Dialect::named(name).unwrap();
            let expected = case.folder.join("expected").join(name);
            compare(
                &case.name,
                &expected,
                &files(&case, &dialect),
                &mut differences,
            );
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn files(case: &Case, dialect: &Dialect) -> BTreeMap<String, String> {
    if case.is_refused(dialect) {
        let error = case
            .plan(dialect)
            .err()
            .unwrap_or_else(|| panic!("{} is not refused on {}", case.name, dialect.name()));
        return BTreeMap::from([("error.txt".to_owned(), format!("{error}\n"))]);
    }
    let rendered = case.rendered(dialect);
    let manifest = &rendered.manifest;
    let mut plan = vec![
        format!("route: {:?}", manifest.route),
        format!("reversible: {}", manifest.reversible),
    ];
    let changes = manifest.changes.iter();
    plan.extend(changes.map(|change| format!("change: {change}")));
    let reasons = manifest.reasons.iter();
    plan.extend(reasons.map(|(phase, reason)| format!("{phase}: {reason}")));
    let mut files = rendered.files;
    files.extend(values(manifest).map(|text| ("values.md".to_owned(), text)));
    files.insert("plan.txt".to_owned(), plan.join("\n") + "\n");
    files
}

/// What the review page says of values, where there is something to say; the rest of it shows `plan.txt` and the files.
fn values(manifest: &Manifest) -> Option<String> {
    let page = review::page(manifest);
    let (_, values) = page.split_once("## What becomes of the values")?;
    let (values, rest) = values.split_once("## Phases").unwrap();
    let (_, checklist) = rest.split_once("## Checklist").unwrap();
    let (checklist, _) = checklist.split_once("\n## ").unwrap();
    Some(format!("{}\n\n{}\n", values.trim(), checklist.trim()))
}

fn compare(
    case: &str,
    expected: &Path,
    files: &BTreeMap<String, String>,
    differences: &mut Vec<String>,
) {
    if std::env::var_os("ZDM_BLESS").is_some() {
        if expected.exists() {
            fs::remove_dir_all(expected).unwrap();
        }
        for (path, text) in files {
            let path = expected.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        return;
    }
    for (path, text) in files {
        let found = fs::read_to_string(expected.join(path)).unwrap_or_default();
        if found != *text {
            differences.push(format!(
                "{case}: {} differs; now it is\n{text}",
                expected.join(path).display()
            ));
        }
    }
    for stale in below(expected) {
        let path = stale.strip_prefix(expected).unwrap().to_str().unwrap();
        if !files.contains_key(path) {
            differences.push(format!(
                "{case}: {} is no longer generated",
                stale.display()
            ));
        }
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn every_statement_is_described_or_declared_unsupported_with_a_reason() {
    for name in Dialect::names() {
        let dialect = Dialect::named(name).unwrap();
        for statement in Statement::NAMES {
            match dialect.statement(statement) {
                Ok(facts) => assert!(!facts.manual.is_empty(), "{name}: {statement}"),
                Err(error) => {
                    let message = error.to_string();
                    assert!(message.contains("has no"), "{name}: {message}");
                }
            }
        }
    }
}

/// Every kind has a case, and every change of every case says why it needs each of its phases.
#[test]
fn every_kind_of_change_gives_a_reason_for_each_of_its_phases() {
    let mut kinds: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let mut mute = BTreeSet::new();
    for case in Case::all() {
        for name in Dialect::names() {
            let dialect = Dialect::named(name).unwrap();
            if case.is_refused(&dialect) {
                continue;
            }
            let plan = case.plan(&dialect).unwrap();
            assert_eq!(plan.explained.len(), plan.changes.len(), "{}", case.name);
            for change in &plan.explained {
                kinds.remove(change.kind);
                let phases: Vec<Phase> = change.phases.iter().map(|(phase, _)| *phase).collect();
                let place = format!("{}, {name}: {} ({})", case.name, change.line, change.kind);
                assert_eq!(
                    phases.iter().all(|phase| *phase == Phase::Expand),
                    change.route == Route::Direct,
                    "{place}: {phases:?}"
                );
                for (phase, reasons) in &change.phases {
                    if !reasons.iter().any(|reason| reason.len() > 15) {
                        mute.insert(format!("{place}: {}", phase.name()));
                    }
                }
            }
        }
    }
    assert!(kinds.is_empty(), "no case shows {kinds:?}");
    assert!(mute.is_empty(), "no reason:\n{mute:#?}");
}
