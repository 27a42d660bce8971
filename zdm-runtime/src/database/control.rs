//! The control tables themselves: whether they are there, whether this runtime can read them, installing them.

use std::fmt::Write as _;
use std::sync::Arc;
#[cfg(feature = "operate")]
use std::time::Duration;

use super::control_connection::sealed::Control;
use super::{DatabaseError, Dialect, Value};
use crate::{Error, rights};

/// What every version of the control tables adds, from the first.
#[cfg(feature = "operate")]
const VERSIONS: [&str; 8] = [
    include_str!("control/1.sql"),
    include_str!("control/2.sql"),
    include_str!("control/3.sql"),
    include_str!("control/4.sql"),
    include_str!("control/5.sql"),
    include_str!("control/6.sql"),
    include_str!("control/7.sql"),
    include_str!("control/8.sql"),
];
/// The version of the control tables that this runtime installs. Applications and whoever only looks read every older one.
pub const VERSION: i64 = rights::CONTROL_VERSION;
/// The version from which on instances have names, and shares of readers may be counted by them.
const NAMED: i64 = 7;
/// The version from which on instances say what holds their readers back.
const HELD: i64 = 8;
/// The version that ties the entries of the audit log together.
#[cfg(feature = "operate")]
const CHAINED: i64 = 5;
/// Whoever appends to the audit log takes this row before the log; an upgrade that took the log's lock first would meet it in a
/// deadlock.
#[cfg(feature = "operate")]
const HEAD_FIRST: &str = "UPDATE {zdm}meta SET version = version";
/// How long an upgrade waits for a lock.
#[cfg(feature = "operate")]
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// The generation of this runtime, which the tables' `least_runtime` is compared with.
pub const RUNTIME: i64 = 1;

/// Fails where the control tables are missing, closed to this role or too new for this runtime.
pub(crate) async fn check<C: Control>(connection: &mut C) -> Result<(), Error> {
    if !installed(connection).await? {
        return Err(Error::NoControlTables);
    }
    apart(connection).await?;
    let rows = connection
        .rows("SELECT version, least_runtime FROM {zdm}meta", &[])
        .await
        .map_err(granted)?;
    match rows.first().map(Vec::as_slice) {
        None => Err(Error::NoControlTables),
        Some([Value::Int(Some(version)), Value::Int(Some(least))]) if *least > RUNTIME => {
            Err(Error::ControlTooNew {
                version: *version,
                least: *least,
                ours: RUNTIME,
            })
        }
        Some(_) => Ok(()),
    }
}

/// A table's bare name must not mean a control table.
async fn apart<C: Control>(connection: &mut C) -> Result<(), Error> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let mixed = "SELECT 1 WHERE 'zdm' = ANY (pg_catalog.current_schemas(false))";
    if connection.rows(mixed, &[]).await?.is_empty() {
        Ok(())
    } else {
        Err(Error::ControlInSearchPath)
    }
}

/// Asks the catalog, because naming a table that is not there would abort an open transaction.
pub(crate) async fn installed<C: Control>(connection: &mut C) -> Result<bool, DatabaseError> {
    let catalog = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                              WHERE n.nspname = 'zdm' AND c.relname = 'meta'"
        }
        Dialect::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'zdm_meta'",
    };
    Ok(!connection.rows(catalog, &[]).await?.is_empty())
}

/// What a command line finds.
#[cfg(feature = "operate")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// No control tables.
    Not,
    /// Tables of this version, which [`install`] brings up to date.
    Outdated(i64),
    /// As [`install`] would leave them, or newer and readable.
    Ready,
}

/// Whether the control tables are there; an error where they are too new for this runtime.
#[cfg(feature = "operate")]
pub async fn installed_version(connection: &mut super::Connection) -> Result<Installed, Error> {
    match check(connection).await {
        Ok(()) => {}
        Err(Error::NoControlTables) => return Ok(Installed::Not),
        Err(error) => return Err(error),
    }
    let version = version(connection).await?;
    Ok(if version < VERSION {
        Installed::Outdated(version)
    } else {
        Installed::Ready
    })
}

async fn version<C: Control>(connection: &mut C) -> Result<i64, Error> {
    let rows = connection
        .rows("SELECT version FROM {zdm}meta", &[])
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(version))]) => Ok(*version),
        _ => Err(Error::NoControlTables),
    }
}

/// What to select for `rolled_back_at` and for `rolled_back_to`: tables of an older version lack them.
#[cfg(feature = "operate")]
pub(crate) async fn rolled_back(
    connection: &mut super::Connection,
) -> Result<(&'static str, &'static str), Error> {
    Ok(match version(connection).await? {
        ..2 => ("CAST(NULL AS bigint)", "CAST(NULL AS text)"),
        2 => ("rolled_back_at", "CAST(NULL AS text)"),
        _ => ("rolled_back_at", "rolled_back_to"),
    })
}

/// What to select for `kept_until`: tables of an older version lack it.
#[cfg(feature = "operate")]
pub(crate) async fn kept_until(connection: &mut super::Connection) -> Result<&'static str, Error> {
    Ok(match version(connection).await? {
        ..7 => "CAST(NULL AS bigint)",
        _ => "kept_until",
    })
}

/// What to select for `taken_back_at`: tables of an older version lack it.
#[cfg(feature = "operate")]
pub(crate) async fn taken_back_at(
    connection: &mut super::Connection,
) -> Result<&'static str, Error> {
    Ok(if is_chained(connection).await? {
        "taken_back_at"
    } else {
        "CAST(NULL AS bigint)"
    })
}

/// What to select for the checksums of a verification: tables of an older version lack them.
#[cfg(feature = "operate")]
pub(crate) async fn checksums(connection: &mut super::Connection) -> Result<&'static str, Error> {
    Ok(match version(connection).await? {
        ..6 => "CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS bigint)",
        _ => "old_checksum, new_checksum, by_down",
    })
}

/// Whether instances can say their names: tables of an older version have no place for them.
pub(crate) async fn has_names<C: Control>(connection: &mut C) -> Result<bool, Error> {
    Ok(version(connection).await? >= NAMED)
}

/// Whether instances can say what holds their readers back.
pub(crate) async fn has_holds<C: Control>(connection: &mut C) -> Result<bool, Error> {
    Ok(version(connection).await? >= HELD)
}

/// What to select for what holds an instance's readers back: tables of an older version lack it.
#[cfg(feature = "operate")]
pub(crate) async fn held(connection: &mut super::Connection) -> Result<&'static str, Error> {
    Ok(if has_holds(connection).await? {
        "c.held"
    } else {
        "CAST(NULL AS text)"
    })
}

/// What to select for the share of instances that read new, and for the name of one.
#[cfg(feature = "operate")]
pub(crate) async fn by_instance(
    connection: &mut super::Connection,
) -> Result<(&'static str, &'static str), Error> {
    Ok(if has_names(connection).await? {
        ("read_instances", "i.name")
    } else {
        ("CAST(NULL AS integer)", "CAST(NULL AS text)")
    })
}

/// Whether the audit log is a chain: tables of an older version lack what ties it together.
#[cfg(feature = "operate")]
pub(crate) async fn is_chained(connection: &mut super::Connection) -> Result<bool, Error> {
    Ok(version(connection).await? >= CHAINED)
}

/// What [`install`] executes on tables of this version, for somebody who may.
#[cfg(feature = "operate")]
pub fn upgrade(dialect: Dialect, present: i64) -> String {
    let mut sql = format!("BEGIN; {HEAD_FIRST}; ");
    for statement in added_since(present) {
        sql.push_str(statement.trim_end_matches(';'));
        sql.push_str("; ");
    }
    let record = format!("UPDATE {{zdm}}meta SET version = {VERSION}, least_runtime = {RUNTIME}");
    dialect.control(&format!("{sql}{record}; COMMIT;"))
}

/// Creates the control tables where they are missing and adds what a newer version has: all of it or nothing. Needs the role
/// that may create tables, for an upgrade the one that owns these.
#[cfg(feature = "operate")]
pub async fn install(connection: &mut super::Connection) -> Result<(), Error> {
    connection.begin().await?;
    let installed = install_within(connection).await;
    connection.end(installed).await
}

#[cfg(feature = "operate")]
async fn install_within(connection: &mut super::Connection) -> Result<(), Error> {
    if connection.dialect() == Dialect::Postgres {
        // Whoever waits for a lock keeps all later ones waiting, the applications' reads too.
        let bounded = format!("SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis());
        connection.execute(&bounded, &[]).await?;
        // Two that create the same table at once collide in the catalog, `IF NOT EXISTS` or not.
        connection
            .query(
                "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('zdm.control'))::text",
                &[],
            )
            .await?;
    }
    let present = if installed(connection).await? {
        check(connection).await?;
        match version(connection).await? {
            VERSION.. => return Ok(()),
            older => older,
        }
    } else {
        prepare(connection).await?;
        0
    };
    if present > 0 {
        connection.execute(HEAD_FIRST, &[]).await?;
    }
    for statement in added_since(present) {
        connection.execute(&statement, &[]).await?;
    }
    let record = match present {
        0 => "INSERT INTO {zdm}meta (version, least_runtime) VALUES ($1, $2)",
        _ => "UPDATE {zdm}meta SET version = $1, least_runtime = $2",
    };
    connection
        .execute(record, &[VERSION.into(), RUNTIME.into()])
        .await?;
    Ok(())
}

#[cfg(feature = "operate")]
async fn prepare(connection: &mut super::Connection) -> Result<(), Error> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    // `IF NOT EXISTS` asks for the right to create schemas even where the schema is there.
    let schema = "SELECT 1 FROM pg_namespace WHERE nspname = 'zdm'";
    if connection.query(schema, &[]).await?.is_empty() {
        connection.execute("CREATE SCHEMA zdm", &[]).await?;
    }
    apart(connection).await
}

/// The statements of the versions after this one.
#[cfg(feature = "operate")]
fn added_since(present: i64) -> impl Iterator<Item = String> {
    let later = (1..)
        .zip(VERSIONS)
        .filter(move |(number, _)| *number > present);
    later.flat_map(|(_, sql)| statements(sql))
}

/// One statement per paragraph, without the comments.
#[cfg(feature = "operate")]
fn statements(sql: &str) -> impl Iterator<Item = String> {
    sql.split("\n\n").filter_map(|paragraph| {
        let lines: Vec<_> = paragraph
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    })
}

/// The statements that let an application's role use the control tables on `PostgreSQL`.
pub fn grants(role: &str) -> String {
    let role = role.replace('"', "\"\"");
    let mut grants = format!("GRANT USAGE ON SCHEMA zdm TO \"{role}\";");
    for (table, given) in rights::by_table(&rights::APPLICATION) {
        let _ = write!(grants, "\nGRANT {given} ON zdm.{table} TO \"{role}\";");
    }
    grants
}

/// Says which rights are missing instead of only that some are.
pub(crate) fn granted(error: DatabaseError) -> Error {
    match error {
        DatabaseError::Forbidden(cause) => Error::NotGranted {
            cause: Arc::new(cause),
            grants: grants("the application's role"),
        },
        DatabaseError::Other(cause) if is_read_only(&cause) => Error::ReadOnly {
            cause: Arc::new(cause),
        },
        other => other.into(),
    }
}

/// `read_only_sql_transaction`, which a replica answers to every write.
fn is_read_only(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some("25006"))
}
