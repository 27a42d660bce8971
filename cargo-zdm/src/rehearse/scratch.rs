//! The database that is rehearsed on: empty at the start, and empty again in the end.
//!
//! Comes in: a URL, or none for an embedded `SQLite` file in a folder of its own. Goes out: the URL and the clean-up.
//! Must not know: the versions, the load.

use tempfile::TempDir;
use zdm_runtime::database::{Connection, DatabaseError, Dialect, Value};

use super::oracle;
use crate::context::shown_url;
use crate::error::Failure;
use crate::operate::section::DIRECTLY;
use crate::operate::session::connect;

/// Tables, views, sequences and the like that no extension brought.
const OBJECTS: &str = "
SELECT CAST(n.nspname AS text) || '.' || CAST(c.relname AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1 LIMIT 5";

/// Takes away all that no extension brought: the database was empty before.
const CLEAN: &str = "
DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT nspname AS name FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_namespace.oid AND d.deptype = 'e')
    LOOP EXECUTE pg_catalog.format('DROP SCHEMA %I CASCADE', found.name); END LOOP;
    FOR found IN SELECT c.relkind, c.oid::regclass::text AS name FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace::oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'a', 'i'))
    LOOP
        IF pg_catalog.to_regclass(found.name) IS NOT NULL THEN
            EXECUTE pg_catalog.format('DROP %s %s CASCADE', CASE found.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, found.name);
        END IF;
    END LOOP;
    FOR found IN SELECT p.oid::regprocedure::text AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace::oid
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE pg_catalog.format('DROP ROUTINE %s CASCADE', found.name); END LOOP;
    FOR found IN SELECT t.oid::regtype::text AS name, t.typtype FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace::oid
          AND t.typtype IN ('e', 'd', 'c', 'r') AND (t.typrelid = 0 OR EXISTS
              (SELECT 1 FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    LOOP EXECUTE pg_catalog.format('DROP %s %s CASCADE', CASE found.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, found.name); END LOOP;
END $$";

/// A database for one rehearsal.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) url: String,
    folder: Option<TempDir>,
    kept: bool,
}

impl Scratch {
    /// A database of this kind that is empty. What an interrupted rehearsal has left in it is taken away.
    pub(super) async fn prepare(
        url: Option<&str>,
        dialect: &str,
        keep: bool,
    ) -> Result<Self, Failure> {
        let scratch = match url {
            Some(url) => Self {
                url: url.to_owned(),
                folder: None,
                kept: keep,
            },
            None if dialect == Dialect::Sqlite.name() => Self::embedded(keep)?,
            None => {
                return Err(Failure::usage(
                    format!("a rehearsal of SQL for {dialect} needs a database to rehearse on"),
                    "create an empty database (`createdb scratch`) and name it: --scratch-url postgres://localhost/scratch",
                ));
            }
        };
        if Dialect::of_url(&scratch.url).map(Dialect::name) != Some(dialect) {
            return Err(Failure::usage(
                format!(
                    "the SQL is for {dialect}, and {} is no such database",
                    scratch.shown()
                ),
                format!("name an empty {dialect} database with --scratch-url"),
            ));
        }
        let mut connection = connect(&scratch.url).await?;
        if connection.is_pooled() {
            return Err(Failure::environment(
                format!(
                    "{} leads through a pooler, and a rehearsal looks at sessions of the server",
                    scratch.shown()
                ),
                DIRECTLY,
            )
            .safe("nothing was changed"));
        }
        if oracle::is_there(&mut connection).await? {
            clean(&mut connection).await?;
        }
        let found = objects(&mut connection).await?;
        if !found.is_empty() {
            return Err(Failure::usage(
                format!(
                    "{} is no scratch database: it holds {}, and a rehearsal writes and drops what it finds",
                    scratch.shown(),
                    found.join(", ")
                ),
                "name an empty database with --scratch-url",
            )
            .safe("nothing was changed"));
        }
        oracle::create(&mut connection).await?;
        Ok(scratch)
    }

    fn embedded(keep: bool) -> Result<Self, Failure> {
        let folder = folder()?;
        let url = format!("sqlite://{}", folder.path().join("rehearsal.db").display());
        Ok(Self {
            url,
            folder: Some(folder),
            kept: keep,
        })
    }

    /// The URL as it may be printed.
    pub(super) fn shown(&self) -> String {
        shown_url(&self.url)
    }

    /// Empties the database again, or leaves all for whoever wants to look at it.
    pub(super) async fn end(mut self) -> Result<(), Failure> {
        match &mut self.folder {
            Some(folder) => folder.disable_cleanup(self.kept),
            None if self.kept => {}
            None => clean(&mut connect(&self.url).await?).await?,
        }
        Ok(())
    }
}

/// A folder that goes with its value.
pub(super) fn folder() -> Result<TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("zdm-rehearsal-").tempdir();
    folder.map_err(|error| {
        Failure::environment(
            format!(
                "no folder can be made in {}: {error}",
                std::env::temp_dir().display()
            ),
            "make room or grant the right, and run the rehearsal again",
        )
    })
}

async fn objects(connection: &mut Connection) -> Result<Vec<String>, DatabaseError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => OBJECTS,
        Dialect::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1 LIMIT 5"
        }
    };
    let rows = connection.query(sql, &[]).await?;
    Ok(rows.into_iter().flatten().filter_map(text).collect())
}

async fn clean(connection: &mut Connection) -> Result<(), DatabaseError> {
    if connection.dialect() == Dialect::Postgres {
        return connection.run_file(CLEAN).await;
    }
    connection.run_file("PRAGMA foreign_keys = OFF").await?;
    let sql = "SELECT type || ' ' || '\"' || replace(name, '\"', '\"\"') || '\"' FROM sqlite_schema
               WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let found = connection.query(sql, &[]).await?;
    for object in found.into_iter().flatten().filter_map(text) {
        connection.run_file(&format!("DROP {object}")).await?;
    }
    Ok(())
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => text,
        Value::Int(_) => None,
    }
}
