//! A user's crate without models, the command line run in it, and databases as the library sees them.
//!
//! Must not know: what a test wants of it. Everything here panics where the environment is not what a test needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8PathBuf;
use cargo_zdm::catalogue::{self, Catalogue, Schemas};
use cargo_zdm::dialect::Dialect as Words;
use cargo_zdm::import::{self, Imported};
use cargo_zdm::source::{self, SourceOptions};
use serde_json::Value;
use tempfile::TempDir;
use zdm_model::Schema;
use zdm_runtime::database::Connection;

use crate::tool;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const RUNTIME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");

/// A crate in a folder of its own.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    /// Its database.
    pub url: String,
}

impl Project {
    /// A library on this database, with every crate that models may name.
    ///
    /// # Panics
    ///
    /// Where it cannot be done, with what was said.
    pub fn new(url: String) -> Self {
        let folder = TempDir::with_prefix("zdm-import-").unwrap();
        let project = Self { folder, url };
        std::fs::create_dir(project.path("src")).unwrap();
        let kind = project.url.split(':').next().unwrap();
        let (driver, feature) = match kind {
            "sqlite" => ("sqlite-bundled", "sqlite"),
            _ => ("postgres", "postgres"),
        };
        project.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"taken-over\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
                 chrono = {{ version = \"0.4\", default-features = false }}\nserde_json = \"1\"\nuuid = \"1\"\n\
                 sqlx = {{ version = \"0.9\", default-features = false, features = [\"{driver}\", \"runtime-tokio\", \"chrono\", \"json\", \"uuid\"] }}\n\
                 zdm-runtime = {{ path = {RUNTIME:?}, features = [\"{feature}\", \"chrono\", \"json\", \"operate\", \"uuid\"] }}\n\n\
                 [workspace]\n"
            ),
        );
        project.write("src/lib.rs", "//! A crate.\n");
        // The versions that the workspace is locked to, so that nothing is fetched.
        std::fs::copy(
            Path::new(WORKSPACE).join("Cargo.lock"),
            project.path("Cargo.lock"),
        )
        .unwrap();
        project
    }

    /// A path below its folder.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes a file of it.
    ///
    /// # Panics
    ///
    /// Where the disk refuses; so do all that follow.
    pub fn write(&self, below: &str, text: &str) {
        std::fs::write(self.path(below), text).unwrap();
    }

    /// A file of it.
    ///
    /// # Panics
    ///
    /// Where it cannot be read.
    pub fn text(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap()
    }

    /// `cargo zdm …` on the project's database.
    ///
    /// # Panics
    ///
    /// Where it cannot be done, with what was said.
    pub fn zdm(&self, arguments: &[&str]) -> Output {
        Command::new(tool::binary())
            .arg("zdm")
            .args(arguments)
            .env("DATABASE_URL", &self.url)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// A run that must end with 0; its object.
    ///
    /// # Panics
    ///
    /// Where it cannot be done, with what was said.
    pub fn done(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--format", "json"]].concat();
        let output = self.zdm(&arguments);
        let out = text(&output.stdout);
        assert!(
            output.status.success(),
            "{arguments:?}: {out}{}",
            text(&output.stderr)
        );
        serde_json::from_str(out.trim_end().lines().last().unwrap_or_default()).unwrap()
    }

    /// What the models on disk declare.
    ///
    /// # Panics
    ///
    /// Where it cannot be done, with what was said.
    pub fn declared(&self) -> Schema {
        let models = source::read(&SourceOptions {
            manifest_path: Some(self.path("Cargo.toml")),
            ..SourceOptions::default()
        });
        let mut schema = models.unwrap_or_else(|error| panic!("{error}")).schema;
        for found in &mut schema.enums {
            found.source.clear();
        }
        for table in &mut schema.tables {
            table.source.clear();
            for column in &mut table.columns {
                column.source.clear();
                // The import does not know in which module its models come to stand.
                column.rust_type = column.rust_type.replace("crate::models::", "");
            }
        }
        schema
    }

    /// rustfmt changes nothing, and neither the compiler nor `clippy::pedantic` has anything to say.
    ///
    /// # Panics
    ///
    /// Where it cannot be done, with what was said.
    pub fn is_tidy(&self) {
        let mut format = tool::cargo();
        format.args(["fmt", "--check"]);
        self.succeeds(format);
        let mut lint = tool::cargo();
        lint.args(["clippy", "--quiet", "--offline", "--target-dir"])
            .arg(Path::new(WORKSPACE).join("target"))
            .args(["--", "-D", "warnings", "-D", "clippy::pedantic"]);
        self.succeeds(lint);
    }

    fn succeeds(&self, mut command: Command) {
        let output = command.current_dir(self.folder.path()).output().unwrap();
        assert!(
            output.status.success(),
            "{command:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }

    /// The files of the project, generated ones included.
    ///
    /// # Panics
    ///
    /// Where it cannot be done, with what was said.
    pub fn files(&self) -> Vec<Utf8PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![Utf8PathBuf::from_path_buf(self.folder.path().to_owned()).unwrap()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8().unwrap() {
                let path = entry.unwrap().into_path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a database holds.
///
/// # Panics
///
/// Where it cannot be done, with what was said.
pub async fn catalogue(url: &str) -> Catalogue {
    read(url, &Schemas::All).await
}

async fn read(url: &str, schemas: &Schemas) -> Catalogue {
    let mut connection = Connection::open_to_read(url).await.unwrap();
    catalogue::read(&mut connection, schemas)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What a database becomes.
///
/// # Panics
///
/// Where it cannot be done, with what was said.
pub async fn imported(url: &str) -> Imported {
    imported_of(url, &Schemas::All).await
}

/// What these schemas of a database become.
///
/// # Panics
///
/// Where it cannot be done, with what was said.
pub async fn imported_of(url: &str, schemas: &Schemas) -> Imported {
    let dialect = if url.starts_with("sqlite") {
        "sqlite"
    } else {
        "postgres"
    };
    let words = Words::named(dialect).unwrap();
    import::of(&read(url, schemas).await, &words, None)
}

/// Runs SQL.
///
/// # Panics
///
/// Where it cannot be done, with what was said.
pub async fn execute(url: &str, sql: &str) {
    let mut connection = Connection::open(url).await.unwrap();
    connection.run_file(sql).await.unwrap();
}

/// The list in lines, each kind with its own sign: `-` a table without a struct, `.` unmanaged, `!` not representable, `~` a
/// difference.
///
/// # Panics
///
/// Where it cannot be done, with what was said.
pub fn left_out(object: &Value) -> Vec<String> {
    let of = |found: &Value, word: &str| found[word].as_str().unwrap().to_owned();
    object["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let sign = match found["kind"].as_str().unwrap() {
                "table" => '-',
                "unmanaged" => '.',
                "not_representable" => '!',
                _ => '~',
            };
            let line = format!(
                "{sign} {} {}: {}",
                of(found, "what"),
                of(found, "object"),
                of(found, "reason")
            );
            line.trim_end_matches(": ").to_owned()
        })
        .collect()
}
