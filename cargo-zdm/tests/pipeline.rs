//! A migration's whole life in the repository: from the first struct through a rename to its end.

use camino::{Utf8Path, Utf8PathBuf};
use cargo_zdm::pipeline::{Mode, Options, PipelineError};
use cargo_zdm::{check, finalize, generate};

const FIRST: &str = r"//! A service.

mod models {
    use zdm_runtime::Migratable;

    #[derive(Migratable, Debug, Clone)]
    pub struct User {
        #[zdm(primary_key, auto)]
        pub id: i64,
        pub name: String,
    }

    #[derive(Migratable, Debug, Clone)]
    pub struct Team {
        #[zdm(primary_key)]
        pub id: i64,
    }
}

fn main() {}
";
const RENAMED: &str = "        #[zdm(renamed_from = \"name\")]\n        pub full_name: String,\n";

struct Project {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    options: Options,
}

impl Project {
    fn new(dialect: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        std::fs::create_dir(root.join("src")).unwrap();
        std::fs::write(
            root.join("Cargo.toml"),
            "[package]\nname = \"service\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
        )
        .unwrap();
        std::fs::write(root.join("src/main.rs"), FIRST).unwrap();
        let options = Options {
            add_module: true,
            ..Options::new(root.clone(), dialect)
        };
        Self {
            _folder: folder,
            root,
            options,
        }
    }

    fn read(&self, path: impl AsRef<Utf8Path>) -> String {
        std::fs::read_to_string(self.root.join(path.as_ref())).unwrap()
    }

    fn replace(&self, from: &str, to: &str) {
        let text = self.read("src/main.rs");
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(self.root.join("src/main.rs"), text.replace(from, to)).unwrap();
    }

    fn generate(&self) -> Option<String> {
        let generated = generate(&self.options).unwrap();
        generated.files.write(&self.root).unwrap();
        assert_eq!(self.findings(), Vec::<String>::new());
        generated.version.map(|(manifest, _)| manifest.folder())
    }

    fn findings(&self) -> Vec<String> {
        let findings = check(&self.options).unwrap();
        findings
            .into_iter()
            .map(|finding| format!("{} {}", finding.kind, finding.place))
            .collect()
    }
}

fn life(dialect: &str) {
    let project = Project::new(dialect);
    assert_eq!(
        project.generate().as_deref(),
        Some("0001_create_teams_and_1_more")
    );
    assert!(project.read("src/main.rs").contains("\nmod zdm;\n"));
    assert_eq!(project.generate(), None, "nothing has changed");
    assert_eq!(
        generate(&project.options)
            .unwrap()
            .files
            .differences(&project.root)
            .unwrap(),
        []
    );

    project.replace("        pub name: String,\n", RENAMED);
    assert_eq!(project.findings()[0], "ungenerated ");
    assert_eq!(project.generate().as_deref(), Some("0002_users_full_name"));
    assert!(
        project
            .read("zdm/code.toml")
            .contains("\"transition\" # 0002_users_full_name")
    );
    assert!(
        project
            .read("src/zdm/m0002_users_full_name/dual_write.rs")
            .contains("name = $2")
    );
    let page = project.read("zdm/0002_users_full_name/README.md");
    assert!(
        page.contains("cargo zdm finalize users_full_name"),
        "{page}"
    );

    project.replace(
        "pub full_name: String",
        "#[zdm(index)]\n        pub full_name: String",
    );
    let error = generate(&project.options).unwrap_err();
    assert!(
        matches!(&error, PipelineError::TableInTransition { table, migration, .. }
            if table == "users" && migration == "0002_users_full_name"),
        "{error}"
    );
    project.replace("#[zdm(index)]\n        pub full_name", "pub full_name");

    project.replace(
        "renamed_from = \"name\"",
        "from(\"name\"), up = \"name\", down = \"full_name\"",
    );
    let error = generate(&project.options).unwrap_err();
    assert!(
        matches!(error, PipelineError::TransitionChanged { .. }),
        "{error}"
    );
    project.replace(
        "from(\"name\"), up = \"name\", down = \"full_name\"",
        "renamed_from = \"name\"",
    );

    let path = project.root.join("src/zdm/users.rs");
    let text = project.read("src/zdm/users.rs");
    std::fs::write(&path, text.replace("Deletes the row", "Removes the row")).unwrap();
    assert_eq!(project.findings(), ["edited src/zdm/users.rs"]);
    assert_eq!(project.generate(), None);

    let finalized = finalize(&project.options, Some("users_full_name")).unwrap();
    assert_eq!(finalized.versions, ["0002_users_full_name"]);
    finalized.files.write(&project.root).unwrap();
    assert_eq!(project.findings(), Vec::<String>::new());
    assert!(!project.root.join("src/zdm/m0002_users_full_name").exists());
    assert!(
        !project
            .read("src/zdm/users.rs")
            .contains("name = $2,\n        name")
    );
    assert!(!project.read("src/main.rs").contains("renamed_from"));
    assert!(project.read("src/zdm/mod.rs").contains("CodeState::Final"));
    assert_eq!(project.generate(), None);

    project.replace(
        "pub full_name",
        "#[zdm(renamed_from = \"name\")]\n        pub full_name",
    );
    assert_eq!(project.findings().len(), 1, "spent attributes are found");
}

#[test]
fn a_rename_lives_and_ends_on_sqlite() {
    life("sqlite");
}

#[test]
fn a_rename_lives_and_ends_on_postgres() {
    life("postgres");
}

#[test]
fn an_amended_version_keeps_its_place_and_its_id() {
    let mut project = Project::new("postgres");
    project.generate();
    project.replace("        pub name: String,\n", RENAMED);
    project.generate();
    let id = generate(&project.options)
        .map(|_| project.read("zdm/code.toml"))
        .unwrap();
    project.replace("pub full_name", "pub display_name");
    project.options.mode = Mode::Amend;
    let amended = generate(&project.options).unwrap();
    amended.files.write(&project.root).unwrap();
    let (manifest, _) = amended.version.unwrap();
    assert_eq!(
        manifest.folder(),
        "0002_users_full_name",
        "the name is kept"
    );
    assert!(id.contains(&manifest.id));
    project.options.mode = Mode::Append;
    assert_eq!(project.findings(), Vec::<String>::new());
    assert!(project.read("src/zdm/users.rs").contains("display_name"));
}

/// `drops` is spent at `finalize` with its migration, and else as soon as a later version exists.
#[test]
fn drops_is_spent_when_no_version_needs_it() {
    let project = Project::new("postgres");
    project.replace(
        "pub name: String,",
        "pub name: String,\n        pub fax: Option<String>,",
    );
    project.generate();
    let without_fax = "    #[zdm(drops(\"fax\"))]\n    pub struct User";
    project.replace("    pub struct User", without_fax);
    project.replace("        pub fax: Option<String>,\n", "");
    project.replace("        pub name: String,\n", RENAMED);
    assert!(project.generate().is_some());
    finalize(&project.options, None)
        .unwrap()
        .files
        .write(&project.root)
        .unwrap();
    assert!(!project.read("src/main.rs").contains("drops"));
    assert_eq!(project.findings(), Vec::<String>::new());

    project.replace("        pub full_name: String,\n", "");
    project.replace(
        "    pub struct User",
        "    #[zdm(drops(\"full_name\", default = \"''\"))]\n    pub struct User",
    );
    assert!(project.generate().is_some(), "and check finds nothing yet");
    let later = "pub struct Team {\n        #[zdm(primary_key)]\n        pub id: i64,";
    project.replace(
        later,
        &format!("{later}\n        pub motto: Option<String>,"),
    );
    let appended = generate(&project.options).unwrap();
    appended.files.write(&project.root).unwrap();
    let findings = check(&project.options).unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].message.contains("drops(\"full_name\")"),
        "{findings:?}"
    );
}
