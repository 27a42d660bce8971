//! Models are found in real cargo projects.

mod unseen;

use std::path::Path;

use cargo_zdm::source::{self, Models, SourceError, SourceOptions};
use tempfile::TempDir;
use zdm_model::LogicalType;

const MANIFEST: &str =
    "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";

fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn options(folder: &Path) -> SourceOptions {
    SourceOptions {
        manifest_path: Some(folder.join("Cargo.toml")),
        only: Vec::new(),
        code: Some(folder.join("src/zdm")),
        unwritten: std::collections::BTreeMap::new(),
    }
}

fn read(files: &[(&str, &str)]) -> Result<Models, SourceError> {
    let folder = project(&[&[("Cargo.toml", MANIFEST)], files].concat());
    source::read(&options(folder.path()))
}

fn mistakes(files: &[(&str, &str)]) -> Vec<String> {
    match read(files) {
        Err(SourceError::Mistakes(diagnostics)) => diagnostics
            .iter()
            .map(|found| format!("{}:{}: {}", found.file, found.line, found.message))
            .collect(),
        other => panic!("expected mistakes, found {other:?}"),
    }
}

fn model(name: &str, field: &str) -> String {
    format!(
        "#[derive(Debug, zdm_runtime::Migratable)]\npub struct {name} {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    {field}\n}}\n"
    )
}

#[test]
fn files_that_are_about_to_be_written_count_as_if_they_were() {
    let folder = project(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "pub fn old() {}\n"),
    ]);
    let mut options = options(folder.path());
    let root = source::crate_root(&options).unwrap().expect("a library");
    assert!(root.ends_with("src/lib.rs"), "{root}");
    let model = model("User", "");
    options
        .unwritten
        .insert(root.with_file_name("models.rs"), model);
    options.unwritten.insert(root, "mod models;\n".to_owned());
    let models = source::read(&options).unwrap();
    assert_eq!(models.models[0].crate_path, "crate::models::User");
    assert!(!folder.path().join("src/models.rs").exists());
}

#[test]
fn modules_are_followed_through_files_folders_and_inline_ones() {
    let user = model("User", "pub name: String,");
    let order = model("Order", "");
    let day = model("Day", "");
    let models = read(&[
        ("src/lib.rs", "pub mod models;\nmod zdm;\npub mod inline { pub mod deep; }\n#[path = \"elsewhere/days.rs\"]\nmod days;"),
        ("src/models.rs", "pub(crate) mod user;"),
        ("src/models/user.rs", &user),
        ("src/inline/deep/mod.rs", &order),
        ("src/elsewhere/days.rs", &day),
    ])
    .expect("models");
    let found: Vec<_> = models
        .models
        .iter()
        .map(|model| (model.table_name.as_str(), model.crate_path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("days", "crate::days::Day"),
            ("orders", "crate::inline::deep::Order"),
            ("users", "crate::models::user::User"),
        ]
    );
    let users = models.schema.table("users").expect("users");
    assert_eq!(users.source, "src/models/user.rs:2");
    assert_eq!(users.columns[1].source, "src/models/user.rs:5");
    assert_eq!(models.packages[0].name, "shop");
    assert_eq!(models.models[2].visibility, "pub");
}

#[test]
fn aliases_newtypes_and_imports_are_resolved_by_name() {
    let ids = "use zdm_runtime::Migratable;\npub type TeamId = i64;\npub type Nick = Option<String>;\n\
               #[derive(Migratable)]\n#[zdm(transparent)]\npub struct UserId(TeamId);\n";
    let user = "use chrono::{DateTime, Utc};\nuse super::prelude::*;\n#[derive(zdm_runtime::Migratable)]\npub struct User {\n\
                #[zdm(primary_key)] pub id: UserId,\npub team: Option<ids::TeamId>,\npub nick: Nick,\n\
                pub at: DateTime<Utc>,\npub other: self::super::prelude::Other,\n\
                #[zdm(sql_type = \"numeric(10, 2)\")] pub price: Option<rust_decimal::Decimal>,\n}\n";
    let models = read(&[
        (
            "src/lib.rs",
            "mod ids;\nmod user;\nmod prelude { pub use crate::ids::{self, *}; pub use ids::TeamId as Other; }",
        ),
        ("src/ids.rs", ids),
        ("src/user.rs", user),
    ])
    .expect("models");
    let columns: Vec<_> = models.schema.tables[0]
        .columns
        .iter()
        .map(|column| {
            (
                column.rust_type.as_str(),
                column.logical_type,
                column.nullable,
            )
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("crate::ids::UserId", LogicalType::Int8, false),
            ("i64", LogicalType::Int8, true),
            ("String", LogicalType::Text, true),
            (
                "chrono::DateTime<chrono::Utc>",
                LogicalType::TimestampTz,
                false
            ),
            ("i64", LogicalType::Int8, false),
            ("rust_decimal::Decimal", LogicalType::Custom, true),
        ]
    );
}

#[test]
fn types_are_spelled_so_that_generated_code_can_name_them() {
    let user = "use sqlx::types::Json;\ntype Id = i64;\ntype Tags = Vec<Tag>;\npub struct Tag;\npub enum Mood { Glad }\n\
                #[derive(zdm_runtime::Migratable)]\npub struct User {\n#[zdm(primary_key)] pub id: Id,\n\
                #[zdm(sql_type = \"jsonb\")] pub prefs: Json<Tag>,\n#[zdm(sql_type = \"jsonb\")] pub tags: Option<Json<Tags>>,\n\
                #[zdm(sql_type = \"text[]\")] pub names: Vec<String>,\n#[zdm(sql_type = \"\\\"char\\\"\")] pub letter: i8,\n\
                #[zdm(sql_type = \"mood[]\")] pub moods: Vec<Option<Mood>>,\n#[zdm(sql_type = \"box\")] pub made: super::made::Square,\n}\n";
    let models = read(&[
        ("src/lib.rs", "mod user;\nmod made {}"),
        ("src/user.rs", user),
    ])
    .expect("models");
    let columns = models.schema.tables[0].columns.iter();
    let types: Vec<_> = columns.map(|column| column.rust_type.as_str()).collect();
    assert_eq!(
        types,
        [
            "i64",
            "sqlx::types::Json<crate::user::Tag>",
            "sqlx::types::Json<Vec<crate::user::Tag>>",
            "Vec<String>",
            "i8",
            "Vec<Option<crate::user::Mood>>",
            "crate::made::Square",
        ]
    );
}

#[test]
fn the_derive_under_another_name_is_refused() {
    let user = "use zdm_runtime::{Flags, Migratable as Mig};\n#[derive(Mig)]\npub struct User {\n    pub id: i64,\n}\n";
    assert_eq!(
        mistakes(&[("src/lib.rs", user)]),
        ["src/lib.rs:1: models are found by the name `Migratable`: import it under its own name"]
    );
}

#[test]
fn a_type_that_generated_code_cannot_name_is_refused() {
    let user = format!(
        "struct Secret;\n{}",
        model(
            "User",
            "#[zdm(sql_type = \"jsonb\")] pub secret: Option<Vec<Secret>>,"
        )
    );
    let found = mistakes(&[("src/lib.rs", "mod user;"), ("src/user.rs", &user)]);
    assert_eq!(
        found,
        [
            "src/user.rs:6: generated code cannot name the type `Secret`: make it and the modules around it `pub(crate)` or `pub`"
        ]
    );
}

#[test]
fn types_of_other_packages_of_the_workspace_are_resolved() {
    let package = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
    };
    let folder = project(&[
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"my-ids\"]\n",
        ),
        ("app/Cargo.toml", &package("app")),
        (
            "app/src/main.rs",
            &model("User", "pub team: my_ids::TeamId,"),
        ),
        ("my-ids/Cargo.toml", &package("my-ids")),
        ("my-ids/src/lib.rs", "mod inner;\npub use inner::TeamId;"),
        ("my-ids/src/inner.rs", "pub type TeamId = i32;"),
    ]);
    let models = source::read(&options(folder.path())).expect("models");
    let team = &models.schema.tables[0].columns[1];
    assert_eq!(team.logical_type, LogicalType::Int4);
    assert_eq!(team.source, "app/src/main.rs:5");
    assert!(models.models[0].root_file.ends_with("app/src/main.rs"));
}

#[test]
fn all_mistakes_are_shown_at_once_with_their_lines() {
    let user = model("User", "#[zdm(uniqe)]\n    pub age: Age,");
    let found = mistakes(&[
        (
            "src/lib.rs",
            "mod a;\nmod b;\nmod missing;\n#[cfg_attr(unix, path = \"u.rs\")]\nmod sys;",
        ),
        ("src/a.rs", &user),
        ("src/b.rs", "type X = ;\n"),
    ]);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found[0].starts_with("src/a.rs:5: unknown attribute `uniqe`; did you mean `unique`?"));
    assert!(found[1].starts_with("src/a.rs:6: the column type of `Age` is not known"));
    assert!(found[1].contains("sql_type"), "{}", found[1]);
    assert!(found[2].starts_with("src/b.rs:1: this file is not Rust"));
    assert!(found[3].starts_with("src/lib.rs:3: the module `missing` has no file"));
    assert!(found[4].starts_with("src/lib.rs:5: the file of `sys` depends on `cfg_attr"));
}

#[test]
fn one_table_has_one_struct_in_one_target() {
    let user = model("User", "#[zdm(index = \"by_name\")] pub name: String,");
    let twice = mistakes(&[
        ("src/lib.rs", "mod a;\nmod b;"),
        ("src/a.rs", &user),
        ("src/b.rs", &user),
    ]);
    assert!(
        twice[0].contains("`users` is declared twice, here and at src/a.rs:2"),
        "{twice:?}"
    );
    let both = mistakes(&[
        ("src/lib.rs", "mod a;"),
        ("src/main.rs", "mod a;\nfn main() {}"),
        ("src/a.rs", &user),
    ]);
    assert!(both[0].contains("two targets"), "{both:?}");
    let other = model("Order", "#[zdm(index = \"by_name\")] pub name: String,");
    let index = mistakes(&[("src/lib.rs", &format!("{user}{other}"))]);
    assert!(
        index[0].contains("`by_name` is taken by the table `orders`"),
        "{index:?}"
    );
}

#[test]
fn what_generated_code_cannot_reach_is_refused_unless_re_exported() {
    let nested = format!("pub mod outer {{ mod inner {{ {} }} }}", model("User", ""));
    let found = mistakes(&[("src/lib.rs", &nested)]);
    assert!(found[0].contains("cannot name `User`"), "{found:?}");
    let exported = nested.replace(
        "mod inner",
        "pub use inner::User as Zoe; pub use inner::User as Account; mod inner",
    );
    let models = read(&[("src/lib.rs", &exported)]).expect("models");
    assert_eq!(models.models[0].crate_path, "crate::outer::Account");
    let private = mistakes(&[
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", &model("User", "name: String,")),
    ]);
    assert!(private[0].contains("private field `name`"), "{private:?}");
}

#[test]
fn test_code_is_passed_over_and_other_conditions_are_kept() {
    let models = read(&[
        ("src/lib.rs", "#[cfg(feature = \"shop\")]\n#[cfg(true)]\nmod a;\n#[cfg(test)]\nmod tests;\n#[cfg(windows)]\nmod absent;"),
        ("src/a.rs", &model("User", "#[zdm(skip)] pub cache: Vec<u64>,")),
        ("src/tests.rs", &model("Fake", "")),
    ])
    .expect("models");
    assert_eq!(models.models.len(), 1);
    assert_eq!(models.models[0].conditions, ["feature = \"shop\"", "true"]);
    assert_eq!(models.models[0].skipped_fields, ["cache"]);
}

#[test]
fn only_the_configured_files_hold_models() {
    let folder = project(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "mod a;\nmod b;"),
        ("src/a.rs", &model("User", "")),
        ("src/b.rs", &model("Order", "")),
    ]);
    let mut options = options(folder.path());
    options.only = vec![folder.path().join("src/b.rs")];
    let models = source::read(&options).expect("models");
    assert_eq!(models.schema.tables.len(), 1);
    assert_eq!(models.schema.tables[0].name, "orders");
    options.only = vec![folder.path().join("src/c.rs")];
    assert!(matches!(
        source::read(&options),
        Err(SourceError::NothingThere(_))
    ));
}

#[test]
fn a_project_without_models_has_an_empty_schema() {
    let models = read(&[("src/lib.rs", "pub fn nothing() {}\n")]).expect("no mistakes");
    assert!(models.schema.tables.is_empty());
    assert!(models.packages.is_empty());
}

#[test]
fn another_name_for_the_runtime_is_refused_where_models_are() {
    let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");
    let manifest = |name: &str| {
        format!(
            "{MANIFEST}[dependencies]\n{name} = {{ package = \"zdm-runtime\", path = {runtime:?} }}\n"
        )
    };
    let read = |name: &str, text: &str| {
        let folder = project(&[("Cargo.toml", &manifest(name)), ("src/lib.rs", text)]);
        source::read(&options(folder.path()))
    };
    let user = model("User", "");
    let error = read("zdm", &user).expect_err("another name").to_string();
    assert!(error.contains("renames zdm-runtime to `zdm`"), "{error}");
    assert!(
        error.contains("next: depend on it by its own name"),
        "{error}"
    );
    assert!(read("zdm-runtime", &user).is_ok());
    assert!(read("zdm_runtime", &user).is_ok());
    assert!(read("zdm", "").is_ok());
}

#[test]
fn a_foreign_key_leads_to_something_unique() {
    let team = model(
        "Team",
        "#[zdm(unique)] pub name: String, pub motto: String,",
    );
    let good = model(
        "User",
        "#[zdm(references = \"teams(name)\")] pub team: String,",
    );
    let good = format!("{team}{good}");
    assert!(read(&[("src/lib.rs", &good)]).is_ok());
    let bad = good.replace("teams(name)", "teams(motto)");
    let found = mistakes(&[("src/lib.rs", &bad)]);
    assert!(
        found[0].contains("references `teams(motto)`, which is neither the primary key nor unique"),
        "{found:?}"
    );
}

#[test]
fn a_mistake_is_told_before_its_file_is_called_empty() {
    let folder = project(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", &model("User", "pub age: u32,")),
    ]);
    let mut options = options(folder.path());
    options.only = vec![folder.path().join("src/lib.rs")];
    let outcome = source::read(&options);
    assert!(matches!(outcome, Err(SourceError::Mistakes(found)) if found.len() == 1));
}

#[test]
fn mistakes_are_shown_as_the_compiler_shows_them() {
    let outcome = read(&[("src/lib.rs", &model("User", "pub age: u32,"))]);
    let shown = outcome.expect_err("a mistake").to_string();
    assert!(
        shown.contains("error: `u32` is no column type: use `i64`\n --> src/lib.rs:5:14\n"),
        "{shown}"
    );
    assert!(shown.contains("^^^"), "{shown}");
}

const MOOD: &str = "#[derive(zdm_runtime::MigratableEnum)]\n#[zdm(name = \"mood\")]\npub enum Feeling { Happy, #[zdm(rename = \"so-so\")] SoSo }\n";

#[test]
fn enums_are_part_of_the_schema() {
    let fields = "pub mood: moods::Feeling,\n    pub other: Option<crate::Alias>,\n    pub list: Vec<crate::moods::Feeling>,\n    \
        #[zdm(sql_type = \"text\")] pub text: moods::Feeling,";
    let unused = MOOD.replace("mood", "unused").replace("Feeling", "Unused");
    let models = read(&[
        (
            "src/lib.rs",
            "mod user;\nmod moods;\ntype Alias = moods::Feeling;",
        ),
        ("src/moods.rs", &format!("{MOOD}{unused}")),
        (
            "src/user.rs",
            &format!("use crate::moods;\n{}", model("User", fields)),
        ),
    ])
    .expect("models");
    let enums = &models.schema.enums;
    assert_eq!(enums.len(), 2, "{enums:?}");
    assert_eq!(enums[1].name, "unused");
    assert_eq!((enums[0].name.as_str(), enums[0].values.len()), ("mood", 2));
    assert_eq!(enums[0].source, "src/moods.rs:3");
    let columns: Vec<_> = models.schema.tables[0]
        .columns
        .iter()
        .map(|column| {
            let sql_type = column.sql_type.as_deref();
            (
                column.rust_type.as_str(),
                column.logical_type,
                sql_type,
                column.nullable,
            )
        })
        .collect();
    let (feeling, list) = ("crate::moods::Feeling", "Vec<crate::moods::Feeling>");
    assert_eq!(
        columns[1..],
        [
            (feeling, LogicalType::Enum, Some("mood"), false),
            (feeling, LogicalType::Enum, Some("mood"), true),
            (list, LogicalType::Enum, Some("mood[]"), false),
            (feeling, LogicalType::Custom, Some("text"), false),
        ]
    );
}

#[test]
fn mistakes_in_enums_are_shown_where_they_are() {
    let plain = "pub enum Plain { A }\n";
    let twice = format!("{MOOD}pub mod b {{ {MOOD} }}\n{plain}");
    let fields = "pub a: crate::Feeling,\n    pub b: crate::b::Feeling,";
    let found = mistakes(&[("src/lib.rs", &format!("{twice}{}", model("User", fields)))]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0]
            .contains("src/lib.rs:6: the enum `mood` is declared twice, here and at src/lib.rs:3"),
        "{found:#?}"
    );
    let found = mistakes(&[(
        "src/lib.rs",
        &format!("{plain}{}", model("User", "pub a: crate::Plain,")),
    )]);
    assert!(
        found[0].contains("let it derive `MigratableEnum`"),
        "{found:#?}"
    );
    let found = mistakes(&[("src/lib.rs", "use zdm_runtime::MigratableEnum as E;\n")]);
    assert!(
        found[0].contains("by the name `MigratableEnum`"),
        "{found:#?}"
    );
}
