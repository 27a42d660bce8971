//! The checked-in code is what is generated for the models. `ZDM_BLESS=1` writes it anew.

use std::borrow::Cow;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_zdm::dialect::Dialect;
use cargo_zdm::files::FileTree;
use cargo_zdm::render::rust::{self, Client, KnownTable, Model, Templates, Transition};
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

/// Checked-in code.
struct Code<'a> {
    /// The folder of its case below this one.
    case: &'a str,
    /// Which of the case's structs.
    version: &'a str,
    /// Its folder below the case's.
    place: &'a str,
    /// Where it is in this crate.
    module: &'a str,
    /// Every table with its struct.
    structs: &'a [(&'a str, &'a str)],
}

const CODE: [Code<'_>; 6] = [
    Code {
        case: "",
        version: "v2.rs",
        place: "",
        module: "crate",
        structs: &[("users", "User"), ("addresses", "Address")],
    },
    Code {
        case: "parcels",
        version: "v2.rs",
        place: "",
        module: "crate::parcels",
        structs: &[("order_lines", "OrderLine"), ("Parcels", "Parcel")],
    },
    Code {
        case: "merged",
        version: "v1.rs",
        place: "old",
        module: "crate::merged::old",
        structs: &[("users", "User"), ("addresses", "Address")],
    },
    Code {
        case: "merged",
        version: "v2.rs",
        place: "",
        module: "crate::merged",
        structs: &[("users", "User")],
    },
    Code {
        case: "columns",
        version: "v1.rs",
        place: "old",
        module: "crate::columns::old",
        structs: &[("users", "User"), ("addresses", "Address")],
    },
    Code {
        case: "columns",
        version: "v2.rs",
        place: "",
        module: "crate::columns",
        structs: &[("users", "User"), ("addresses", "Address")],
    },
];

#[test]
fn the_code_is_what_is_checked_in() {
    for code in &CODE {
        let case = fixture(code.case);
        let folder = Utf8Path::from_path(&case.folder).unwrap();
        for target in targets(code) {
            let tree = generated(code, target);
            if std::env::var_os("ZDM_BLESS").is_some() {
                tree.write(folder).unwrap();
            }
            assert_eq!(tree.differences(folder).unwrap(), []);
        }
    }
}

/// The folder, the dialect and the client.
type Target = (&'static str, &'static str, &'static str);

/// diesel-async's code is run at every stage where nothing runs beside it.
fn targets(code: &Code<'_>) -> Vec<Target> {
    let mut targets: Vec<Target> = Dialect::names()
        .into_iter()
        .map(|dialect| (dialect, dialect, "sqlx"))
        .collect();
    if code.place.is_empty() && code.case != "parcels" {
        targets.push(("diesel", "postgres", "diesel-async"));
    }
    targets
}

fn generated(code: &Code<'_>, (name, dialect, client): Target) -> FileTree {
    let case = fixture(code.case);
    let folder = Utf8Path::from_path(&case.folder).unwrap();
    let templates = Templates::with(Client::named(client), &[]).unwrap();
    let words = Dialect::named(dialect).unwrap();
    let schema = case.schema(code.version);
    let plan = case.plan(&words).unwrap();
    let is_new = code.version == "v2.rs";
    let structs_of: Vec<_> = schema
        .tables
        .iter()
        .map(|table| {
            let mut planned = plan.moves.iter().filter(|_| is_new);
            let moved = planned.find(|moved| moved.keeper() == table.name);
            let mut structs = code.structs.iter();
            let (_, ident) = structs.find(|(of, _)| *of == table.name).unwrap();
            Model {
                table: Cow::Borrowed(table),
                path: format!("{}::{name}::models::{ident}", code.module),
                fingerprint: fingerprint(table, &schema.enums),
                skipped: Vec::new(),
                version: None,
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
                    embedded: rust::Embedded::default(),
                    tests: None,
                }),
                earlier: Vec::new(),
                turns: Vec::new(),
                view: None,
            }
        })
        .collect();
    let migration = (ID.to_owned(), "case".to_owned(), CodeState::Transition);
    let known: Vec<_> = structs_of
        .iter()
        .map(|model| KnownTable {
            table: model.table.name.clone(),
            conditions: Vec::new(),
            migrations: is_new.then(|| migration.clone()).into_iter().collect(),
        })
        .collect();
    let mut files = rust::module(&templates, &words, &structs_of, &known).unwrap();
    for model in &structs_of {
        files.extend(rust::table(&templates, &words, model).unwrap());
    }
    let place = Utf8PathBuf::from(code.place).join(name).join("zdm");
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
