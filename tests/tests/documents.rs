//! What README.md and docs/guide.md show as Rust compiles, in the project that README.md describes: the struct, `init`,
//! `expand`, the repository in use, the changed struct, `generate`, and a handwritten query.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use zdm_runtime::database::{Connection, Value};
use zdm_tests::postgres::Server;
use zdm_tests::project::execute;
use zdm_tests::tool;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const RUNTIME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");
const README: &str = include_str!("../../README.md");
const GUIDE: &str = include_str!("../../docs/guide.md");

/// The guide begins with a service that is there already.
const ACCOUNT: &str = "
#[derive(Migratable, Debug, Clone)]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub age: Option<String>,
}
";

#[test]
fn what_the_documents_show_compiles() {
    let [first, repository, changed] = rust(README);
    let [field, several, query] = rust(GUIDE);
    let server = Server::start();
    let project = Project::new(server.database("app"));

    project.write("src/lib.rs", "pub mod models;\n");
    project.write("src/models.rs", &format!("{first}{ACCOUNT}"));
    project.zdm(&["init", "--dialect", "postgres"]);
    project.zdm(&["expand"]);
    let rows =
        "INSERT INTO users (name, age) VALUES ('Ada', '36'), ('Grace', NULL), ('Joan', 'forty')";
    block_on(execute(&project.database_url, rows));
    project.append("src/lib.rs", "mod shown;\n");
    project.write("src/shown.rs", &in_use(repository));
    project.check();

    let account = ACCOUNT.replace("    pub age: Option<String>,\n", field);
    let models = format!("use zdm_runtime::Migratable;\n\n{changed}{account}");
    project.write("src/models.rs", &models);
    project.zdm(&["generate"]);
    project.zdm(&["check"]);
    project.append("src/shown.rs", &by_hand(query));
    project.append("src/shown.rs", &of_several(several));
    project.check();
    project.zdm(&["advance", "--before-deploy"]);

    // It does what README.md says of it.
    project.zdm(&["switch", "--to", "dual_write"]);
    project.zdm(&["backfill"]);
    let found = block_on(async {
        let sql = "SELECT full_name || ' ' || coalesce(age_years::text, 'none') FROM users ORDER BY full_name";
        let mut connection = Connection::open(&project.database_url).await.unwrap();
        connection.query(sql, &[]).await.unwrap()
    });
    let expected = ["Ada 36", "Grace none", "Joan none"].map(|row| vec![Value::from(row)]);
    assert_eq!(found, expected);
    assert!(project.zdm(&["quarantine", "list"]).contains("users (3)"));
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// The Rust of a document, all of it: a block that is added without a place here fails the test.
fn rust<const N: usize>(document: &str) -> [&str; N] {
    let blocks: Vec<&str> = document
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    let count = blocks.len();
    let blocks = blocks.try_into();
    blocks.unwrap_or_else(|_| panic!("{count} blocks are there, {N} have a place in this test"))
}

fn in_use(repository: &str) -> String {
    format!(
        "use sqlx::{{PgConnection, PgPool}};\n\
         use crate::models::User;\n\n\
         pub async fn store(pool: PgPool, mut connection: PgConnection, user: User) -> Result<i64, zdm_runtime::Error> {{\n\
         {repository}\
         Ok(id)\n\
         }}\n"
    )
}

fn by_hand(query: &str) -> String {
    format!(
        "\nuse sqlx::AssertSqlSafe;\n\
         use crate::models::Account;\n\
         use crate::zdm::accounts::{{Accounts, fragments}};\n\n\
         pub async fn grown_up(accounts: &Accounts, conn: &mut PgConnection) -> Result<Vec<Account>, zdm_runtime::Error> {{\n\
         {query}\
         }}\n"
    )
}

fn of_several(calls: &str) -> String {
    format!(
        "\nuse crate::zdm::accounts::AccountChanges;\n\n\
         pub async fn forget(\n\
         accounts: &Accounts,\n\
         conn: &mut PgConnection,\n\
         rows: Vec<Account>,\n\
         ) -> Result<u64, zdm_runtime::Error> {{\n\
         {calls}\
         Ok(forgotten)\n\
         }}\n"
    )
}

/// A crate in a folder of its own.
struct Project {
    folder: TempDir,
    database_url: String,
}

impl Project {
    /// As the commands in README.md leave it, with the crate from here.
    fn new(database_url: String) -> Self {
        let folder = TempDir::with_prefix("zdm-documents-").unwrap();
        let project = Self {
            folder,
            database_url,
        };
        std::fs::create_dir(project.path("src")).unwrap();
        project.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"shown\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [dependencies]\n\
                 sqlx = {{ version = \"0.9\", default-features = false, features = [\"postgres\", \"runtime-tokio\"] }}\n\
                 zdm-runtime = {{ path = {RUNTIME:?}, features = [\"postgres\"] }}\n\n\
                 [workspace]\n"
            ),
        );
        // The versions that the workspace is locked to, so that nothing is fetched.
        let lock = Path::new(WORKSPACE).join("Cargo.lock");
        std::fs::copy(lock, project.path("Cargo.lock")).unwrap();
        project
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn write(&self, below: &str, text: &str) {
        std::fs::write(self.path(below), text).unwrap();
    }

    fn append(&self, below: &str, text: &str) {
        let before = std::fs::read_to_string(self.path(below)).unwrap();
        self.write(below, &(before + text));
    }

    fn zdm(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(tool::binary());
        command
            .arg("zdm")
            .args(arguments)
            .env("DATABASE_URL", &self.database_url);
        self.run(command)
    }

    fn check(&self) {
        let mut command = tool::cargo();
        command
            .args(["check", "--quiet", "--offline", "--target-dir"])
            .arg(Path::new(WORKSPACE).join("target"));
        self.run(command);
    }

    fn run(&self, mut command: Command) -> String {
        let output = command.current_dir(self.folder.path()).output().unwrap();
        assert!(
            output.status.success(),
            "{command:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
