//! A project of two versions of the models, on a database of its own: expanded, filled, compared.

use cargo_zdm::dialect::Dialect as Words;
use cargo_zdm::plan::{BuildError, Plan};
use cargo_zdm::render::rust::{self, Model, Templates, Transition};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use std::borrow::Cow;
use zdm_model::Schema;
use zdm_runtime::backfill::{self, BackfillError, BackfillOptions, Outcome};
use zdm_runtime::database::{Connection, Dialect, Value, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::{self, Side, VerificationError, VerificationOptions, Verified};
use zdm_tests::cases::{Case, ID};
use zdm_tests::postgres::Server;

/// Two versions of the models in a folder of their own.
pub(crate) struct Versions {
    case: Case,
    _folder: tempfile::TempDir,
}

impl Versions {
    /// The fields of `t`, before and after.
    pub(crate) fn of(before: &str, after: &str) -> Self {
        Self::with(["", ""], before, after)
    }

    /// The same with attributes of both versions' table.
    pub(crate) fn with(attributes: [&str; 2], before: &str, after: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (file, attributes, fields) in [
            ("v1.rs", attributes[0], before),
            ("v2.rs", attributes[1], after),
        ] {
            let model = format!(
                "#[derive(Migratable)]\n#[zdm(table = \"t\"{attributes})]\npub struct T {{ {fields} }}\n"
            );
            std::fs::write(folder.path().join(file), model).unwrap();
        }
        let case = Case {
            name: "values".to_owned(),
            folder: folder.path().to_owned(),
        };
        Self {
            case,
            _folder: folder,
        }
    }

    pub(crate) fn plan(&self, dialect: Dialect) -> Result<Plan, BuildError> {
        self.case.plan(&Words::named(dialect.name()).unwrap())
    }

    /// The statements of the repository by their names, while the second version is in transition.
    pub(crate) fn statement(&self, dialect: Dialect, file: &str, name: &str) -> String {
        let words = Words::named(dialect.name()).unwrap();
        let plan = self.case.plan(&words).unwrap();
        let schema: Schema = self.case.schema("v2.rs");
        let templates = Templates::sqlx().unwrap();
        let model = Model {
            table: Cow::Borrowed(&schema.tables[0]),
            path: "crate::models::T".to_owned(),
            fingerprint: 0,
            skipped: Vec::new(),
            version: None,
            conditions: Vec::new(),
            transition: (!plan.pairs.is_empty()).then(|| Transition {
                id: ID,
                folder: "0002_case".to_owned(),
                parent: None,
                versions: "zdm".to_owned(),
                moved: None,
                pairs: plan.pairs.clone(),
                changes: &plan.changes,
                shared: false,
                embedded: cargo_zdm::render::rust::Embedded::default(),
                tests: None,
            }),
            earlier: Vec::new(),
            turns: Vec::new(),
            view: None,
        };
        let files = rust::table(&templates, &words, &model).unwrap();
        let file = files
            .iter()
            .find(|found| found.path.as_str().ends_with(file))
            .unwrap();
        constant(&file.text, name)
    }
}

/// The text of a constant in a file of Rust.
fn constant(rust: &str, name: &str) -> String {
    let file = syn::parse_file(rust).unwrap();
    let found = file.items.into_iter().find_map(|found| match found {
        syn::Item::Const(found) if found.ident == name => Some(*found.expr),
        _ => None,
    });
    let Some(syn::Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(text),
        ..
    })) = found
    else {
        panic!("no {name} in {rust}");
    };
    text.value()
}

/// The versions on a database; the first one is created.
pub(crate) struct Project {
    pub(crate) versions: Versions,
    pub(crate) url: String,
    connection: Connection,
    migration: Migration,
    _server: Option<Server>,
    _folder: tempfile::TempDir,
}

impl Project {
    /// `preparation` comes before the table.
    pub(crate) async fn of(dialect: Dialect, preparation: &str, versions: Versions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, url) = match dialect {
            Dialect::Postgres => {
                let server = Server::start();
                let url = server.database("target");
                (Some(server), url)
            }
            Dialect::Sqlite => (
                None,
                format!("sqlite://{}", folder.path().join("target.db").display()),
            ),
        };
        let mut connection = Connection::open(&url).await.unwrap();
        control::install(&mut connection).await.unwrap();
        let words = Words::named(dialect.name()).unwrap();
        if !preparation.is_empty() {
            connection.run_file(preparation).await.unwrap();
        }
        let foundation = versions.case.foundation(&words);
        let migration = versions.case.migration(&words);
        expand(&mut connection, &foundation).await;
        Self {
            versions,
            url,
            connection,
            migration,
            _server: server,
            _folder: folder,
        }
    }

    pub(crate) async fn run(&mut self, sql: &str) {
        self.connection.run_file(sql).await.unwrap();
    }

    /// Expands and goes to `dual_write`.
    pub(crate) async fn expand(&mut self) {
        expand(&mut self.connection, &self.migration).await;
        self.connection
            .execute(
                "INSERT INTO {zdm}stage (migration, stage, read_basis_points, salt, epoch, drained_epoch, entered_at)
                 VALUES ($1, 'dual_write', 0, 'salt', 7, 7, 0)",
                &[self.migration.id().into()],
            )
            .await
            .unwrap();
    }

    pub(crate) async fn fill(&mut self) -> Result<Outcome, BackfillError> {
        let options = BackfillOptions::of("test", "worker 1");
        backfill::run(&mut self.connection, &self.migration, &options, &mut |_| {}).await
    }

    pub(crate) async fn verify(&mut self) -> Result<Verified, VerificationError> {
        let options = VerificationOptions::of("test", Side::New);
        verification::run(&mut self.connection, &self.migration, &options, &mut |_| {}).await
    }

    /// Fills and compares; the comparison sees so many rows and finds them all consistent.
    pub(crate) async fn fills_and_verifies(&mut self, rows: u64) {
        self.fill().await.unwrap();
        let verified = self.verify().await.unwrap();
        assert_eq!((verified.rows, verified.mismatches), (rows, 0));
    }

    /// Over all rows once more, as if nothing had been filled.
    pub(crate) async fn fill_again(&mut self) {
        let way = BackfillOptions::of("test", "worker 1").way;
        backfill::reset(&mut self.connection, self.migration.id(), way)
            .await
            .unwrap();
        self.fill().await.unwrap();
    }

    /// The text values of a query's first column.
    pub(crate) async fn texts(&mut self, sql: &str) -> Vec<Option<String>> {
        let rows = self.connection.query(sql, &[]).await.unwrap();
        rows.into_iter()
            .map(|mut row| match row.remove(0) {
                Value::Text(text) => text,
                Value::Int(number) => number.map(|number| number.to_string()),
            })
            .collect()
    }

    /// How the server goes about a statement whose parameters have these types, where an index serves at all.
    pub(crate) async fn explained(&self, sql: &str, types: &str, values: &str) -> String {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let prepare = format!("SET enable_seqscan = off; PREPARE asked {types} AS {sql}");
        connection.execute(AssertSqlSafe(prepare)).await.unwrap();
        let explain = format!("EXPLAIN EXECUTE asked {values}");
        let rows = connection.fetch_all(AssertSqlSafe(explain)).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        lines.join("\n")
    }
}

async fn expand(connection: &mut Connection, migration: &Migration) {
    executor::run(
        connection,
        migration,
        Section::Expand,
        Direction::Up,
        &ExecutorOptions::of("test"),
        &mut |_| {},
    )
    .await
    .unwrap();
}
