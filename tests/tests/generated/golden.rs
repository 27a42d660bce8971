//! What is generated for the models beside this file. `ZDM_BLESS=1` writes it anew.

use std::borrow::Cow;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_zdm::dialect::Dialect;
use cargo_zdm::files::FileTree;
use cargo_zdm::plan::{Pair, Part};
use cargo_zdm::render::rust::{self, Client, KnownTable, Model, Templates, Transition};
use zdm_model::{
    Column, Declared, Enumeration, LogicalType, OnInvalid, RustType, Table, fingerprint,
};
use zdm_runtime::CodeState;

const MODELS: &str = include_str!("models.rs");
const KINDS: &str = include_str!("../diesel/kinds.rs");
const ID: &str = "0123456789ab";
const FOLDER: &str = "0002_names_and_ages";
const LATER: (&str, &str) = ("ba9876543210", "0003_towns");

fn models(source: &str) -> Vec<zdm_model::Model> {
    let file = syn::parse_file(source).unwrap();
    let structs = file
        .items
        .into_iter()
        .filter_map(|declaration| match declaration {
            syn::Item::Struct(found) => Some(syn::DeriveInput::from(found)).filter(is_model),
            _ => None,
        });
    structs
        .map(|input| match Declared::parse(&input, &read) {
            Ok(Declared::Model(model)) => model,
            _ => panic!("{} is no model", input.ident),
        })
        .collect()
}

/// The enum beside the models.
fn mood() -> Enumeration {
    Enumeration {
        name: "mood".to_owned(),
        values: vec!["glad".to_owned(), "sad".to_owned()],
        taken: Vec::new(),
        source: String::new(),
    }
}

fn is_model(input: &syn::DeriveInput) -> bool {
    let mut attributes = input.attrs.iter();
    attributes.any(|attribute| attribute.meta.path().is_ident("zdm"))
}

/// A type as the workspace's reading would find it: the enum is known.
fn read(ty: &syn::Type) -> RustType {
    let mood = |ty: &syn::Type| {
        let text = zdm_model::spelled(ty);
        let is_mood = text.ends_with("::Mood");
        is_mood.then(|| RustType::of_enum(text, "mood"))
    };
    if let Some(inner) = zdm_model::option_of(ty) {
        return RustType {
            nullable: Some(true),
            ..read(inner)
        };
    }
    let array = zdm_model::vec_of(ty).and_then(mood);
    let array = array.and_then(|element| element.vec_of_enum(zdm_model::spelled(ty)));
    array
        .or_else(|| mood(ty))
        .unwrap_or_else(|| RustType::of(ty))
}

fn text(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        field: name.to_owned(),
        rust_type: "String".to_owned(),
        logical_type: LogicalType::Text,
        sql_type: None,
        collation: None,
        nullable: true,
        auto: false,
        counted: None,
        default: None,
        generated: None,
        is_virtual: false,
        comment: None,
        transition: None,
        moved_from: None,
        source: String::new(),
    }
}

fn pairs(table: &Table) -> Vec<Pair> {
    if table.name == "contacts" {
        let required = |name| Column {
            nullable: false,
            ..text(name)
        };
        let up = "first_name || coalesce(' ' || last_name, '')";
        return vec![
            pair(
                table,
                "name",
                vec![required("first_name"), text("last_name")],
                (up, vec![]),
                &format!("(name IS NOT DISTINCT FROM ({up}))"),
            ),
            pair(
                table,
                "town",
                vec![required("city")],
                ("city", vec!["town".to_owned()]),
                "city IS NOT DISTINCT FROM town",
            ),
        ];
    }
    if table.name == "parcels" {
        return split(table);
    }
    let (new, old, up, down, consistent) = match table.name.as_str() {
        "users" => (
            "full_name",
            vec![text("name")],
            "name",
            vec!["full_name".to_owned()],
            "name IS NOT DISTINCT FROM full_name",
        ),
        "pages" => (
            "title",
            vec![text("name")],
            "name",
            vec!["title".to_owned()],
            "name IS NOT DISTINCT FROM title",
        ),
        "people" => (
            "age_int",
            vec![text("age")],
            "CASE WHEN (age NOT LIKE '%x%') IS FALSE THEN NULL ELSE CAST(age AS INTEGER) END",
            vec!["CAST(age_int AS TEXT)".to_owned()],
            "CASE WHEN (age NOT LIKE '%x%') IS FALSE THEN NULL ELSE CAST(age AS INTEGER) END IS NOT DISTINCT FROM age_int \
             OR CAST(age_int AS TEXT) IS NOT DISTINCT FROM age",
        ),
        "badges" => (
            "label",
            vec![Column {
                logical_type: LogicalType::Int4,
                rust_type: "i32".to_owned(),
                ..text("number")
            }],
            "CAST(number AS text)",
            vec!["CAST(label AS integer)".to_owned()],
            "label IS NOT DISTINCT FROM CAST(number AS text) OR number IS NOT DISTINCT FROM CAST(label AS integer)",
        ),
        "accounts" => (
            "email_key",
            vec![Column {
                nullable: false,
                ..text("email")
            }],
            "lower(email)",
            vec![],
            "(email_key IS NOT DISTINCT FROM lower(email))",
        ),
        "members" => (
            "town",
            vec![text("city")],
            "city",
            vec!["town".to_owned()],
            "city IS NOT DISTINCT FROM town",
        ),
        "tasks" => (
            "weight",
            vec![],
            "length(title)",
            vec![],
            "weight IS NOT NULL",
        ),
        _ => return Vec::new(),
    };
    vec![pair(table, new, old, (up, down), consistent)]
}

/// The pairs of the migration before, where two are in transition.
fn earlier(table: &Table) -> Vec<Pair> {
    if table.name != "members" {
        return Vec::new();
    }
    let full_name = ("name", vec!["full_name".to_owned()]);
    let consistent = "name IS NOT DISTINCT FROM full_name";
    vec![pair(
        table,
        "full_name",
        vec![text("name")],
        full_name,
        consistent,
    )]
}

/// Both columns that a third one is split into.
fn split(table: &Table) -> Vec<Pair> {
    let ups = [
        ("origin", "substr(code, 1, 2)"),
        ("number", "substr(code, 3)"),
    ];
    let parts = ups.map(|(name, up)| Part {
        column: table.column(name).unwrap().clone(),
        up: up.to_owned(),
    });
    let consistent = "(origin IS NOT NULL AND number IS NOT NULL AND ((origin IS NOT DISTINCT FROM substr(code, 1, 2) AND \
                      number IS NOT DISTINCT FROM substr(code, 3)) OR code IS NOT DISTINCT FROM (origin || number)))";
    let pairs = ups.map(|(name, up)| Pair {
        split: parts.to_vec(),
        ..pair(
            table,
            name,
            vec![text("code")],
            (up, vec!["origin || number".to_owned()]),
            consistent,
        )
    });
    pairs.to_vec()
}

fn pair(
    table: &Table,
    new: &str,
    old: Vec<Column>,
    (up, down): (&str, Vec<String>),
    consistent: &str,
) -> Pair {
    let new = table.column(new).unwrap().clone();
    // What code is generated from a pair does not depend on what a reviewer is told of it.
    Pair {
        declared_up: up.to_owned(),
        valid_if: None,
        inputs: old.clone(),
        built_in: None,
        with: None,
        seal: None,
        measured: None,
        table: table.name.clone(),
        key: table.key_columns().cloned().collect(),
        addresses: None,
        optional: new.nullable,
        on_invalid: (table.name == "people").then_some(OnInvalid::Quarantine),
        view: None,
        split: Vec::new(),
        new,
        old,
        up: up.to_owned(),
        down,
        consistent: consistent.to_owned(),
    }
}

fn transition<'a>(
    (id, folder): (&'a str, &str),
    pairs: Vec<Pair>,
    changes: &'a [String],
) -> Transition<'a> {
    Transition {
        id,
        folder: folder.to_owned(),
        parent: Some("0001_create_users".to_owned()),
        versions: "zdm".to_owned(),
        pairs,
        moved: None,
        changes,
        shared: folder == FOLDER,
        embedded: rust::Embedded::default(),
        tests: None,
    }
}

/// The files that are not checked in as they would be generated now.
fn generated(dialect: &str, client: &str) -> FileTree {
    let code = folder_of(dialect, client);
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated");
    let templates = Templates::with(Client::named(client), &[]).unwrap();
    let words = Dialect::named(dialect).unwrap();
    let mut declared = models(MODELS);
    if client == "diesel-async" {
        declared.extend(models(KINDS));
    }
    let changes = ["names and ages under new columns".to_owned()];
    let models: Vec<_> = declared
        .iter()
        .map(|model| {
            let (pairs, earlier) = (pairs(&model.table), earlier(&model.table));
            Model {
                table: Cow::Borrowed(&model.table),
                path: format!("crate::{dialect}::models::{}", model.ident),
                fingerprint: fingerprint(&model.table, &[mood()]),
                skipped: model
                    .skipped
                    .iter()
                    .map(|field| field.ident.to_string())
                    .collect(),
                version: model.version.clone(),
                conditions: Vec::new(),
                turns: { earlier.iter().map(|_| FOLDER) }
                    .chain(earlier.iter().map(|_| LATER.1))
                    .map(str::to_owned)
                    .collect(),
                transition: match (pairs.is_empty(), earlier.is_empty()) {
                    (true, _) => None,
                    (false, true) => Some(transition((ID, FOLDER), pairs, &changes)),
                    (false, false) => Some(transition(LATER, pairs, &changes)),
                },
                earlier: { Some(earlier).into_iter() }
                    .filter(|pairs| !pairs.is_empty())
                    .map(|pairs| transition((ID, FOLDER), pairs, &changes))
                    .collect(),
                view: None,
            }
        })
        .collect();
    let known: Vec<_> = models
        .iter()
        .map(|model| KnownTable {
            table: model.table.name.clone(),
            conditions: Vec::new(),
            migrations: { model.earlier.iter() }
                .chain(&model.transition)
                .map(|found| {
                    let (_, name) = found.folder.split_once('_').unwrap();
                    (found.id.to_owned(), name.to_owned(), CodeState::Transition)
                })
                .collect(),
        })
        .collect();
    rust::check(&templates, &words, &models).unwrap();
    let mut files = rust::module(&templates, &words, &models, &known).unwrap();
    for model in &models {
        files.extend(rust::table(&templates, &words, model).unwrap());
    }
    files.retain(|file| {
        let found = std::fs::read(folder.join(code).join(&file.path));
        rust::state(file, found.ok().as_deref()).is_some()
    });
    let mut tree = FileTree::default();
    for (file, text) in files.iter().zip(rust::formatted(&files, &folder).unwrap()) {
        tree.insert(Utf8PathBuf::from(code).join(&file.path), text);
    }
    tree
}

fn folder_of<'a>(dialect: &'a str, client: &str) -> &'a str {
    match client {
        "sqlx" => dialect,
        _ => "diesel",
    }
}

fn assert_checked_in(dialect: &str, client: &str) {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated");
    let tree = generated(dialect, client);
    if std::env::var_os("ZDM_BLESS").is_some() {
        tree.write(&folder).unwrap();
    }
    assert_eq!(tree.differences(&folder).unwrap(), []);
}

#[test]
fn postgres_code_is_what_is_checked_in() {
    assert_checked_in("postgres", "sqlx");
}

#[test]
fn sqlite_code_is_what_is_checked_in() {
    assert_checked_in("sqlite", "sqlx");
}

#[test]
fn diesels_code_is_what_is_checked_in() {
    assert_checked_in("postgres", "diesel-async");
}

/// After `finalize` a one-way column is a column like any other.
#[test]
fn final_code_has_no_old_values() {
    let templates = Templates::sqlx().unwrap();
    for dialect in Dialect::names() {
        let words = Dialect::named(dialect).unwrap();
        let declared = models(MODELS);
        let account = declared.iter().find(|model| model.ident == "Account");
        let model = Model {
            table: Cow::Borrowed(&account.unwrap().table),
            path: "crate::models::Account".to_owned(),
            fingerprint: 0,
            skipped: Vec::new(),
            version: None,
            conditions: Vec::new(),
            transition: None,
            earlier: Vec::new(),
            turns: Vec::new(),
            view: None,
        };
        let files = rust::table(&templates, &words, &model).unwrap();
        assert_eq!(files.len(), 1);
        for gone in ["AccountOld", "SidesDisagree", "dual_write", "old"] {
            let word = |text: &str| {
                text.split(|c: char| !c.is_alphanumeric())
                    .any(|word| word == gone)
            };
            assert!(!word(&files[0].text), "{gone}: {}", files[0].text);
        }
    }
}
