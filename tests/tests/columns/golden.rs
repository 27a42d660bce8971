//! The checked-in code is what is generated for the models, and what creates their tables. `ZDM_BLESS=1` writes it anew.

use std::borrow::Cow;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_zdm::dialect::Dialect;
use cargo_zdm::files::FileTree;
use cargo_zdm::render::rust::{self, KnownTable, Model, Templates};
use zdm_model::fingerprint;
use zdm_runtime::database::{Connection, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_tests::cases::Case;

fn case(dialect: &str) -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/columns");
    Case {
        name: format!("columns/{dialect}"),
        folder: folder.join(dialect),
    }
}

/// A database with the tables of the models.
pub(crate) async fn created(dialect: &str, url: &str) -> Connection {
    let mut connection = Connection::open(url).await.unwrap();
    control::install(&mut connection).await.unwrap();
    let words = Dialect::named(dialect).unwrap();
    let options = ExecutorOptions::of("test");
    executor::run(
        &mut connection,
        &case(dialect).foundation(&words),
        Section::Expand,
        Direction::Up,
        &options,
        &mut |_| {},
    )
    .await
    .unwrap();
    for table in case(dialect).schema("v1.rs").tables {
        let fence =
            "INSERT INTO {zdm}fence (table_name, epoch) VALUES ($1, 1) ON CONFLICT DO NOTHING";
        connection
            .execute(fence, &[table.name.as_str().into()])
            .await
            .unwrap();
    }
    connection
}

#[test]
fn the_code_is_what_is_checked_in() {
    for dialect in Dialect::names() {
        let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/columns");
        let tree = generated(dialect, &folder);
        if std::env::var_os("ZDM_BLESS").is_some() {
            tree.write(&folder).unwrap();
        }
        assert_eq!(tree.differences(&folder).unwrap(), []);
    }
}

fn generated(dialect: &str, folder: &Utf8Path) -> FileTree {
    let templates = Templates::sqlx().unwrap();
    let words = Dialect::named(dialect).unwrap();
    let mut schema = case(dialect).schema("v1.rs");
    let models = format!("crate::{dialect}::models");
    for column in schema
        .tables
        .iter_mut()
        .flat_map(|table| &mut table.columns)
    {
        column.rust_type = column.rust_type.replace("Mood", &format!("{models}::Mood"));
    }
    let structs: Vec<_> = schema
        .tables
        .iter()
        .map(|table| Model {
            table: Cow::Borrowed(table),
            path: format!("{models}::{}", struct_of(&table.name)),
            fingerprint: fingerprint(table, &schema.enums),
            skipped: Vec::new(),
            version: None,
            conditions: Vec::new(),
            transition: None,
            earlier: Vec::new(),
            turns: Vec::new(),
            view: None,
        })
        .collect();
    let known: Vec<_> = structs
        .iter()
        .map(|model| KnownTable {
            table: model.table.name.clone(),
            conditions: Vec::new(),
            migrations: Vec::new(),
        })
        .collect();
    let mut files = rust::module(&templates, &words, &structs, &known).unwrap();
    for model in &structs {
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

/// `MoodOfDay` for `mood_of_days`.
fn struct_of(table: &str) -> String {
    let singular = table.strip_suffix('s').unwrap_or(table);
    let words = singular.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}
