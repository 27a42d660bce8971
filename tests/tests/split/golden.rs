//! The checked-in code is what is generated for the models. `ZDM_BLESS=1` writes it anew.

use std::borrow::Cow;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_zdm::dialect::Dialect;
use cargo_zdm::files::FileTree;
use cargo_zdm::render::rust::{self, KnownTable, Model, Templates, Transition};
use zdm_model::fingerprint;
use zdm_runtime::CodeState;
use zdm_tests::cases::{Case, ID};

pub(crate) fn case() -> Case {
    fixture("")
}

/// The one in this folder, or in a folder of it.
pub(crate) fn fixture(below: &str) -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/split");
    Case {
        name: format!("split/{below}"),
        folder: folder.join(below),
    }
}

#[test]
fn the_code_is_what_is_checked_in() {
    for (below, structs, module) in [
        ("", ["User", "Address"], "crate"),
        ("parcels", ["OrderLine", "Parcel"], "crate::parcels"),
    ] {
        let case = fixture(below);
        let folder = Utf8Path::from_path(&case.folder).unwrap();
        for dialect in Dialect::names() {
            let tree = generated(
                &case,
                dialect,
                structs,
                &format!("{module}::{dialect}::models"),
            );
            if std::env::var_os("ZDM_BLESS").is_some() {
                tree.write(folder).unwrap();
            }
            assert_eq!(tree.differences(folder).unwrap(), []);
        }
    }
}

/// `structs` of main and of part.
fn generated(case: &Case, dialect: &str, structs: [&str; 2], models: &str) -> FileTree {
    let folder = Utf8Path::from_path(&case.folder).unwrap();
    let templates = Templates::sqlx().unwrap();
    let words = Dialect::named(dialect).unwrap();
    let schema = case.schema("v2.rs");
    let plan = case.plan(&words).unwrap();
    let structs_of: Vec<_> = schema
        .tables
        .iter()
        .map(|table| {
            let moved = plan.moves.iter().find(|moved| moved.part == table.name);
            let [main, part] = structs;
            let name = if moved.is_some() { part } else { main };
            Model {
                table: Cow::Borrowed(table),
                path: format!("{models}::{name}"),
                fingerprint: fingerprint(table, &schema.enums),
                skipped: Vec::new(),
                conditions: Vec::new(),
                transition: moved.map(|moved| Transition {
                    id: ID,
                    folder: "0002_case".to_owned(),
                    parent: Some("0001_case".to_owned()),
                    versions: "zdm".to_owned(),
                    pairs: Vec::new(),
                    moved: Some(moved.clone()),
                    changes: &plan.changes,
                    shared: false,
                }),
            }
        })
        .collect();
    let known: Vec<_> = structs_of
        .iter()
        .map(|model| KnownTable {
            table: model.table.name.clone(),
            conditions: Vec::new(),
            migrations: vec![(ID.to_owned(), "case".to_owned(), CodeState::Transition)],
        })
        .collect();
    let mut files = rust::module(&templates, &structs_of, &known).unwrap();
    for model in &structs_of {
        files.extend(rust::table(&templates, &words, model).unwrap());
    }
    let place = Utf8PathBuf::from(dialect).join("zdm");
    files.retain(|file| {
        let found = std::fs::read(folder.join(&place).join(&file.path));
        rust::state(file, found.ok().as_deref()).is_some()
    });
    let mut tree = FileTree::default();
    for (file, text) in files.iter().zip(rust::formatted(&files, folder).unwrap()) {
        tree.insert(place.join(&file.path), text);
    }
    tree
}
