//! A project with one table whose column changes its type, on PostgreSQL, ready to be filled.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use crate::{Run, measure};

const BEFORE: &str = "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\npub struct Reading {\n    #[zdm(primary_key)]\n    pub id: i64,\n    pub amount: i32,\n    pub note: String,\n}\n";
const AFTER: &str = "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\npub struct Reading {\n    #[zdm(primary_key)]\n    pub id: i64,\n    #[zdm(column = \"amount_text\", from(\"amount\"), up = \"CAST(amount AS text)\", down = \"CAST(amount_text AS integer)\")]\n    pub amount: String,\n    pub note: String,\n}\n";

/// The table `readings`, and a project that migrates it.
#[derive(Debug)]
pub struct Readings<'a> {
    tool: &'a Path,
    url: String,
    project: TempDir,
}

impl<'a> Readings<'a> {
    /// Creates the table with so many rows.
    pub async fn create(
        tool: &'a Path,
        url: String,
        rows: u64,
    ) -> Result<(Self, PgConnection), Box<dyn Error>> {
        let readings = Self {
            tool,
            url,
            project: tempfile::tempdir()?,
        };
        readings.write(BEFORE)?;
        readings.done(&["init"])?;
        readings.done(&["expand"])?;
        let mut connection = PgConnection::connect(&readings.url).await?;
        let fill = format!(
            "INSERT INTO readings (id, amount, note) SELECT n, n % 1000, repeat('x', 40) FROM generate_series(1, {rows}) AS n"
        );
        connection.execute(AssertSqlSafe(fill)).await?;
        Ok((readings, connection))
    }

    /// Generates the version that has the column as text.
    pub fn change(&self) -> Result<(), Box<dyn Error>> {
        self.write(AFTER)?;
        self.done(&["generate"])?;
        Ok(())
    }

    /// Leads to where the rows can be filled.
    pub async fn to_dual_write(&self, connection: &mut PgConnection) -> Result<(), Box<dyn Error>> {
        self.change()?;
        self.done(&["expand"])?;
        self.done(&["switch", "--to", "dual_write"])?;
        connection.execute("VACUUM ANALYZE readings").await?;
        connection.execute("CHECKPOINT").await?;
        Ok(())
    }

    /// The command line, to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.tool);
        command
            .arg("zdm")
            .args(arguments)
            .current_dir(self.project.path())
            .env("DATABASE_URL", &self.url);
        command
    }

    /// Runs the command line; what its last line says.
    pub fn done(&self, arguments: &[&str]) -> Result<serde_json::Value, Box<dyn Error>> {
        let output = self
            .command(arguments)
            .args(["--format", "json"])
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("`cargo zdm {}`: {said}", arguments.join(" ")).into());
        }
        let answer = String::from_utf8(output.stdout)?;
        Ok(serde_json::from_str(
            answer.lines().last().unwrap_or_default(),
        )?)
    }

    /// Fills the rows; what the command says, and its largest resident set.
    pub fn fill(&self, arguments: &[&str]) -> Result<(serde_json::Value, Run), Box<dyn Error>> {
        let answer = tempfile::NamedTempFile::new()?;
        let mut command = self.command(&["backfill", "--format", "json"]);
        command.args(arguments).stdout(answer.reopen()?);
        let run = measure(&mut command)?;
        let text = std::fs::read_to_string(answer.path())?;
        if !run.status.success() {
            return Err(format!("`cargo zdm backfill`: {text}").into());
        }
        let answer = serde_json::from_str(text.lines().last().unwrap_or_default())?;
        Ok((answer, run))
    }

    /// Where further connections go.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn write(&self, models: &str) -> std::io::Result<()> {
        let folder = self.project.path();
        std::fs::create_dir_all(folder.join("src"))?;
        std::fs::write(
            folder.join("Cargo.toml"),
            "[package]\nname = \"readings\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
        )?;
        let lib = folder.join("src/lib.rs");
        if !lib.exists() {
            std::fs::write(lib, "pub mod models;\n")?;
        }
        std::fs::write(folder.join("src/models.rs"), models)
    }
}

/// How many bytes a table's rows take.
pub async fn heap(connection: &mut PgConnection, table: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_relation_size(to_regclass($1))")
        .bind(table)
        .fetch_one(connection)
        .await
}
