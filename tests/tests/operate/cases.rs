//! The migrations that the tests run: a rename and text → integer, for three kinds of key.

use zdm_runtime::backfill::{self, BackfillOptions};
use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;

use crate::pairs::{KeyColumn, Pair, Version, version};
use crate::target::Target;

pub(crate) const ID: &[KeyColumn] = &[("id", "bigint")];
pub(crate) const COMPOSITE: &[KeyColumn] = &[("tenant", "text"), ("id", "bigint")];
pub(crate) const TEXT: &[KeyColumn] = &[("login", "text")];

pub(crate) const RENAME: Pair = Pair {
    old: "name",
    new: "full_name",
    new_type: "text",
    up: "name",
    down: "full_name",
    invalid: None,
    on_invalid: "total",
};

/// Text → integer: the pattern lets `99999999999` pass, which no 32-bit integer holds.
pub(crate) fn text_to_integer(dialect: Dialect, on_invalid: &'static str) -> Pair {
    let (new_type, up, invalid) = match dialect {
        Dialect::Postgres => (
            "integer",
            "CASE WHEN age ~ '^[0-9]+$' THEN CAST(age AS integer) END",
            "age !~ '^[0-9]+$'",
        ),
        Dialect::Sqlite => (
            "integer CHECK (age_int < 2147483648)",
            "CASE WHEN age <> '' AND age NOT GLOB '*[^0-9]*' THEN CAST(age AS integer) END",
            "age = '' OR age GLOB '*[^0-9]*'",
        ),
    };
    Pair {
        old: "age",
        new: "age_int",
        new_type,
        up,
        down: "CAST(age_int AS text)",
        invalid: Some(invalid),
        on_invalid,
    }
}

/// A database with `rows` users, ids 1, 2, …, and the migration expanded on it.
pub(crate) struct Case {
    pub(crate) target: Target,
    pub(crate) migration: Migration,
    pub(crate) connection: Connection,
}

impl Case {
    pub(crate) async fn of(dialect: Dialect, key: &[KeyColumn], pair: &Pair, rows: u32) -> Self {
        Self::with(dialect, key, rows, &version(dialect, key, pair)).await
    }

    pub(crate) async fn with(
        dialect: Dialect,
        key: &[KeyColumn],
        rows: u32,
        version: &Version,
    ) -> Self {
        let target = Target::of(dialect).await;
        let connection = target.open().await;
        let mut case = Self {
            target,
            migration: version.load(),
            connection,
        };
        case.begin(key, rows).await;
        case
    }

    /// The same once more on the same server, with another key.
    pub(crate) async fn again(&mut self, key: &[KeyColumn], pair: &Pair, rows: u32) {
        self.run("DROP TABLE users").await;
        for table in ["step", "stage", "chunk"] {
            let empty = format!("DELETE FROM {{zdm}}{table}");
            self.connection.execute(&empty, &[]).await.unwrap();
        }
        self.migration = version(self.target.dialect, key, pair).load();
        self.begin(key, rows).await;
    }

    async fn begin(&mut self, key: &[KeyColumn], rows: u32) {
        create_users(&mut self.connection, key, rows).await;
        expand(&mut self.connection, &self.migration, Direction::Up).await;
        enter_dual_write(&mut self.connection, &self.migration).await;
    }

    pub(crate) async fn fill(&mut self, options: &BackfillOptions) -> backfill::Outcome {
        backfill::run(&mut self.connection, &self.migration, options, &mut |_| {})
            .await
            .unwrap()
    }

    /// Over all rows once more, as if nothing had been filled.
    pub(crate) async fn fill_again(&mut self, options: &BackfillOptions) -> backfill::Outcome {
        backfill::reset(&mut self.connection, self.migration.id(), options.way)
            .await
            .unwrap();
        self.fill(options).await
    }

    pub(crate) async fn run(&mut self, sql: &str) {
        self.connection.run_file(sql).await.unwrap();
    }

    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        crate::target::number(&mut self.connection, sql).await
    }
}

pub(crate) async fn create_users(connection: &mut Connection, key: &[KeyColumn], rows: u32) {
    let key: Vec<&str> = key.iter().map(|(name, _)| *name).collect();
    let key = key.join(", ");
    let create = format!(
        "CREATE TABLE users (id bigint NOT NULL, tenant text NOT NULL, login text NOT NULL, name text NOT NULL,
             age text, PRIMARY KEY ({key}))"
    );
    connection.run_file(&create).await.unwrap();
    let fill = format!(
        "INSERT INTO users (id, tenant, login, name, age)
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})
         SELECT n, CASE n % 3 WHEN 0 THEN 'ä\"b' WHEN 1 THEN 'b,c' ELSE '' END, 'user ' || n, 'name ' || n,
             CAST(n % 90 AS text)
         FROM numbers WHERE {rows} > 0"
    );
    connection.run_file(&fill).await.unwrap();
}

pub(crate) async fn expand(
    connection: &mut Connection,
    migration: &Migration,
    direction: Direction,
) -> executor::Outcome {
    executor::run(
        connection,
        migration,
        Section::Expand,
        direction,
        &ExecutorOptions::of("test"),
        &mut |_| {},
    )
    .await
    .unwrap()
}

pub(crate) async fn enter_dual_write(connection: &mut Connection, migration: &Migration) {
    connection
        .execute(
            "INSERT INTO {zdm}stage (migration, stage, read_basis_points, salt, epoch, drained_epoch, entered_at)
             VALUES ($1, 'dual_write', 0, 'salt', 7, 7, 0)",
            &[migration.id().into()],
        )
        .await
        .unwrap();
}

/// Batches of a fixed size.
pub(crate) fn batches_of(rows: u32) -> BackfillOptions {
    BackfillOptions {
        first_batch: rows,
        most_rows: rows,
        ..BackfillOptions::of("test", "worker 1")
    }
}
