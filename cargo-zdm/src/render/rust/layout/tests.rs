use std::borrow::Cow;
use std::fmt::Write as _;

use camino::Utf8Path;
use zdm_model::{Declared, RustType, Schema, Table, fingerprint};

use super::{Form, laid_out};
use crate::dialect::Dialect;
use crate::import::{self, Layout};
use crate::render::rust::format::by_rustfmt;
use crate::render::rust::{Model, RustFile, Templates, table};

/// From the shortest name to nearly the longest that PostgreSQL has: what is derived from it is longer.
const LENGTHS: std::ops::RangeInclusive<usize> = 1..=60;
/// What one finds in databases; with longer names some lines are rustfmt's.
const USUAL: usize = 11;

fn parsed(source: &str) -> (String, Table) {
    let input = syn::parse_str(source).unwrap();
    match Declared::parse(&input, &RustType::of) {
        Ok(Declared::Model(model)) => (model.ident.to_string(), model.table),
        Ok(Declared::Newtype(_)) => panic!("no model: {source}"),
        Err(errors) => panic!(
            "{source}: {:?}",
            errors
                .into_iter()
                .map(|error| error.to_string())
                .collect::<Vec<_>>()
        ),
    }
}

fn name(length: usize, first: char) -> String {
    let rest = "abcdefghij".chars().cycle();
    std::iter::once(first).chain(rest).take(length).collect()
}

/// Models whose names of one kind have that length, the others being as they mostly are.
fn models(length: usize) -> Vec<String> {
    let (ident, column, other) = (name(length, 'U'), name(length, 'z'), name(length, 'y'));
    let of = |ident: &str, keys: &[(&str, &str)], fields: &[(&str, &str)]| {
        let mut text = String::new();
        let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        match names.as_slice() {
            [] => text.push_str("#[zdm(no_primary_key)]\n"),
            [_] => {}
            several => {
                let _ = writeln!(text, "#[zdm(primary_key({}))]", several.join(", "));
            }
        }
        let _ = writeln!(text, "pub struct {ident} {{");
        for (name, rust_type) in keys {
            let alone = keys.len() == 1;
            text.push_str(if alone { "#[zdm(primary_key)]\n" } else { "" });
            let _ = writeln!(text, "pub {name}: {rust_type},");
        }
        for (name, rust_type) in fields {
            let _ = writeln!(text, "pub {name}: {rust_type},");
        }
        text.push('}');
        text
    };
    let id = [("id", "i64")];
    let many = [
        ("name", "String"),
        ("note", "Option<String>"),
        ("at", "Option<chrono::DateTime<chrono::Utc>>"),
        ("data", "Option<Vec<u8>>"),
        ("uuid", "uuid::Uuid"),
    ];
    let same = many.map(|(_, rust_type)| (column.as_str(), rust_type));
    let mut all = vec![
        of(&ident, &id, &many),
        of(&ident, &[], &many),
        of(&ident, &id, &[]),
        of(&ident, &[("id", "String"), ("area", "uuid::Uuid")], &many),
        of("User", &[(&column, "i64")], &many),
        of("User", &[(&column, "String")], &[("name", "String")]),
        of("User", &[(&column, "i64"), (&other, "String")], &many),
        of("User", &[(&column, "i64"), (&other, "i32")], &[]),
        of(
            "User",
            &[("id", "i64"), (&column, "uuid::Uuid"), (&other, "Vec<u8>")],
            &[("name", "bool")],
        ),
        of(&ident, &[(&column, "i64")], &[(&other, "String")]),
    ];
    all.extend(same.iter().map(|field| of("User", &id, &[*field])));
    all.push(of(
        "User",
        &[("id", "i64")],
        &[(&column, "crate::Kind"), (&other, "Option<crate::Kind>")],
    ));
    // Their names are as long, and mean something in Rust.
    let plain = all.clone().into_iter();
    all.extend(plain.map(|text| format!("#[zdm(table = \"{}\")]\n{text}", name(length, 't'))));
    all
}

fn compared(files: &[RustFile], usual: impl Fn(&RustFile) -> bool) {
    let files: Vec<&RustFile> = files.iter().collect();
    let root = tempfile::tempdir().unwrap();
    let texts = by_rustfmt(&files, Utf8Path::from_path(root.path()).unwrap()).unwrap();
    for (file, theirs) in files.into_iter().zip(texts) {
        match laid_out(file.form, &file.text) {
            Some(ours) => assert!(ours == theirs, "{}", first_difference(&ours, &theirs)),
            None => assert!(!usual(file), "not laid out:\n{}", file.text),
        }
    }
}

fn first_difference(ours: &str, theirs: &str) -> String {
    let lines = ours.lines().zip(theirs.lines()).enumerate();
    let at = lines
        .filter(|(_, (ours, theirs))| ours != theirs)
        .map(|(at, _)| at)
        .next();
    let at = at.unwrap_or_default();
    let part = |text: &str| {
        text.lines()
            .skip(at.saturating_sub(3))
            .take(8)
            .collect::<Vec<_>>()
            .join("\n")
    };
    format!("ours:\n{}\nrustfmt's:\n{}", part(ours), part(theirs))
}

#[test]
fn repositories_are_laid_out_as_rustfmt_does() {
    let templates = Templates::sqlx().unwrap();
    for dialect in ["postgres", "sqlite"] {
        let dialect = Dialect::named(dialect).unwrap();
        let mut files = Vec::new();
        for length in LENGTHS {
            for source in models(length) {
                let (ident, declared) = parsed(&source);
                let model = Model {
                    fingerprint: fingerprint(&declared, &[]),
                    table: Cow::Borrowed(&declared),
                    path: format!("crate::models::{ident}"),
                    skipped: vec!["cache".to_owned()],
                    version: None,
                    conditions: Vec::new(),
                    transition: None,
                    earlier: Vec::new(),
                    turns: Vec::new(),
                    view: None,
                };
                let mut made = table(&templates, &dialect, &model).unwrap().remove(0);
                made.path = format!("{length}.rs").into();
                files.push(made);
            }
        }
        assert!(files.iter().all(|file| file.form == Form::Repository));
        compared(&files, |file| {
            file.path.file_stem().unwrap().parse::<usize>().unwrap() <= USUAL
        });
    }
}

/// Every attribute that an import writes, with a text or a name of that length in it.
fn attributes(length: usize) -> String {
    let (long, text) = (name(length, 'n'), "word".repeat(length / 4 + 1));
    format!(
        "#[zdm(table = \"records\")]
        #[zdm(comment = \"{text}\")]
        #[zdm(index(columns(name, {long}), name = \"i{long}\"))]
        #[zdm(index(columns(name), unique, where = \"{long} > 0\"))]
        #[zdm(unique(columns(email), name = \"k{long}\"))]
        #[zdm(unique(columns(email, {long}, name), name = \"emails\"))]
        #[zdm(check(name = \"c{long}\", expr = \"(number > 0) AND (({long})::text = ANY (ARRAY['a', 'b']))\"))]
        #[zdm(check(name = \"short\", expr = r#\"{long} <> '\"'\"#))]
        #[zdm(foreign_key(columns(parent_id), references = \"{long}s(id)\", name = \"f{long}\", on_delete = \"set null\"))]
        #[zdm(foreign_key(columns({long}, number), references = \"others({long}, number)\", name = \"fkey\"))]
        pub struct Record {{
            #[zdm(primary_key, auto = \"serial\")]
            pub id: i64,
            #[zdm(index = \"{long}\")]
            pub name: String,
            #[zdm(unique, sql_type = \"varchar(80)\", comment = \"{long}\")]
            pub email: String,
            #[zdm(default = \"'{long}'\", index)]
            pub note: String,
            #[zdm(default = \"coalesce({long}({long}), '')\")]
            pub text: Option<String>,
            #[zdm(column = \"type\", references = \"{long}s(id)\", on_delete = \"cascade\")]
            pub kind: Option<i64>,
            #[zdm(default = r#\"'{{\"{long}\": 1}}'\"#)]
            pub data: serde_json::Value,
            pub {long}: i64,
            pub parent_id: Option<i64>,
            pub number: i32,
        }}"
    )
}

#[test]
fn models_are_laid_out_as_rustfmt_does() {
    let mut files = Vec::new();
    for length in LENGTHS {
        let schema = Schema {
            tables: vec![parsed(&attributes(length)).1],
            ..Schema::default()
        };
        for layout in [Layout::PerTable, Layout::One] {
            let (_, text) = import::files(&schema, layout).remove(0);
            let path = format!("{length}.rs").into();
            let form = Form::Models;
            files.push(RustFile { path, text, form });
        }
    }
    compared(&files, |file| {
        file.path.file_stem().unwrap().parse::<usize>().unwrap() <= USUAL
    });
}
