//! Structs and fields that are called like something in generated code: what is generated for them compiles, before, during
//! and after a transition.

use crate::generate::user_crate;
use crate::project::Project;

/// Called like a type that generated code names, or like the repository of another one's table.
const STRUCTS: [&str; 22] = [
    "Code",
    "Arc",
    "Default",
    "Error",
    "Flag",
    "Generated",
    "None",
    "Option",
    "PgConnection",
    "PgRow",
    "Result",
    "Row",
    "Send",
    "Shadow",
    "SqliteConnection",
    "SqliteRow",
    "Stage",
    "String",
    "TableFlags",
    "Vec",
    "Writes",
    "Zdm",
];

/// A field `name`, or its successor.
fn structs(field: &str) -> String {
    let one = |name: &str| {
        format!(
            "#[derive(zdm_runtime::Migratable)]\npub struct {name} {{\n    #[zdm(primary_key, auto)]\n    pub id: i64,\n    {field}: i64,\n}}\n"
        )
    };
    let flags = one("Flags").replace("pub struct", "#[zdm(table = \"all_flags\")]\npub struct");
    STRUCTS.map(one).concat() + &flags
}

const FIELDS_BEFORE: &str = r"
use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Word {
    #[zdm(primary_key)]
    pub key: i64,
    pub kind: String,
    pub sentry: Option<String>,
    pub late: i64,
    pub years: i64,
}

#[derive(Migratable)]
#[zdm(primary_key(table, found, key, shadow))]
pub struct Place {
    pub shadow: i64,
    pub table: i64,
    pub found: String,
    pub key: i64,
    pub kind: String,
}

#[derive(Migratable, Clone, Copy, sqlx::Type)]
#[sqlx(transparent)]
#[zdm(transparent)]
pub struct Number(pub i64);

#[derive(Migratable)]
#[zdm(primary_key(found, keys))]
pub struct Find {
    pub found: Number,
    pub keys: Number,
    pub query: i64,
    pub rows: i64,
}
";

fn fields_after() -> String {
    let renamed = |old: &str, new: &str| format!("#[zdm(renamed_from = \"{old}\")]\n    pub {new}");
    FIELDS_BEFORE
        .replace("pub kind", &renamed("kind", "r#type"))
        .replace("pub sentry", &renamed("sentry", "guard"))
        .replace("pub late", &renamed("late", "set_age"))
        .replace("pub years", &renamed("years", "age"))
        .replace("pub query", &renamed("query", "reads_new"))
}

#[test]
fn generated_code_compiles_whatever_structs_and_fields_are_called() {
    for dialect in ["postgres", "sqlite"] {
        let project = Project::sqlite("");
        user_crate(&project);
        let manifest = std::fs::read_to_string(project.path("Cargo.toml")).unwrap();
        let (package, _) = manifest.split_once("[dependencies]").unwrap();
        let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");
        project.write(
            "Cargo.toml",
            &format!(
                "{package}[dependencies]\n\
                 zdm-runtime = {{ path = {runtime:?}, features = [\"postgres\", \"sqlite\"] }}\n\
                 sqlx = {{ version = \"0.9\", default-features = false, features = [\"runtime-tokio\", \"macros\"] }}\n\n\
                 [workspace]\n"
            ),
        );
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        std::fs::copy(lock, project.path("Cargo.lock")).unwrap();
        project.write("src/lib.rs", "pub mod models;\npub mod odd;\n");

        project.write("src/models.rs", FIELDS_BEFORE);
        project.write("src/odd.rs", &structs("pub name"));
        project.done(&["init", "--dialect", dialect]);
        compiles(&project, dialect);

        project.write("src/models.rs", &fields_after());
        project.write(
            "src/odd.rs",
            &structs("#[zdm(renamed_from = \"name\")]\n    pub full_name"),
        );
        project.done(&["generate", "odd"]);
        compiles(&project, dialect);
    }
}

fn compiles(project: &Project, dialect: &str) {
    let mut cargo = zdm_tests::tool::cargo();
    cargo
        .args(["check", "--quiet", "--offline", "--target-dir"])
        .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/.."));
    let run = project.run(cargo);
    assert_eq!(run.code, 0, "{dialect}: {}", run.err);
}
