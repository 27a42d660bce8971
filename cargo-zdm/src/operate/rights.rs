//! Whether the role may do what a move is about to do, asked before the first statement.
//!
//! Comes in: the connection, what is to be done. Goes out: nothing, or the missing rights as the statements that give them.
//! Must not know: what the move is for. `SQLite` has no roles; a file that is read-only says so itself.

use zdm_model::names;
use zdm_runtime::database::{Connection, Dialect, Value, catalogue, control};
use zdm_runtime::rights::BACKFILL;

use crate::error::Failure;

/// Reading the control tables.
const READ_CONTROL: &str = "SELECT pg_catalog.format('GRANT USAGE ON SCHEMA zdm TO %I', current_user) FROM pg_namespace
    WHERE nspname = 'zdm' AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE')
    UNION SELECT pg_catalog.format('GRANT SELECT ON ALL TABLES IN SCHEMA zdm TO %I', current_user)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'zdm' AND c.relkind = 'r' AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') ORDER BY 1";

/// Moving a migration.
const WRITE_CONTROL: &str = "SELECT DISTINCT
        pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA zdm TO %I', current_user)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'zdm' AND c.relkind = 'r' AND NOT (pg_catalog.has_table_privilege(c.oid, 'INSERT')
        AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND pg_catalog.has_table_privilege(c.oid, 'DELETE'))";

/// Working on rows; a right on some columns may be meant for these.
const RECORD: &str = "SELECT pg_catalog.format('GRANT %s ON zdm.%I TO %I', pg_catalog.string_agg(needed.given, ', ' ORDER BY at), name, current_user)
    FROM (VALUES {needed}) AS needed (at, name, given) JOIN pg_class c ON c.relname = name AND c.relkind = 'r'
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'zdm'
    WHERE NOT CASE WHEN needed.given LIKE '%(%' THEN pg_catalog.has_any_column_privilege(c.oid, pg_catalog.split_part(needed.given, ' ', 1))
        ELSE pg_catalog.has_table_privilege(c.oid, needed.given) END
    GROUP BY name ORDER BY name";

/// Creating the control tables.
const INSTALL: &str =
    "SELECT pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I', pg_catalog.current_database(), current_user)
    WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
    AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'zdm')";

/// Who owns control tables that this role does not.
const OWNERS_OF_CONTROL: &str = "SELECT DISTINCT CAST(pg_catalog.pg_get_userbyid(c.relowner) AS text)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'zdm' AND c.relkind = 'r' AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY 1";

/// Changing a table, or creating it: only an owner alters, and an index is created in the table's schema.
const ALTER: &str =
    "SELECT pg_catalog.format('GRANT %I TO %I', pg_catalog.pg_get_userbyid(relowner), current_user) FROM pg_class
    WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid) AND NOT pg_catalog.pg_has_role(relowner, 'USAGE')
    UNION SELECT pg_catalog.format('GRANT CREATE ON SCHEMA %I TO %I', nspname, current_user) FROM pg_namespace
    WHERE nspname = coalesce((pg_catalog.parse_ident($1))[pg_catalog.array_length(pg_catalog.parse_ident($1), 1) - 1], pg_catalog.current_schema())
    AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE') ORDER BY 1";

/// Reading and writing a table's rows; a right on some columns may be meant for these.
const ROWS: &str =
    "SELECT pg_catalog.format('GRANT SELECT, UPDATE ON %s TO %I', CAST(oid AS regclass), current_user)
    FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)
    AND NOT (pg_catalog.has_any_column_privilege(oid, 'SELECT') AND pg_catalog.has_any_column_privilege(oid, 'UPDATE'))";

/// To read the control tables.
pub(crate) async fn to_look(connection: &mut Connection) -> Result<(), Failure> {
    demand(
        connection,
        "read the control tables",
        &[(READ_CONTROL, None)],
    )
    .await
}

/// To move a migration.
pub(crate) async fn to_move(connection: &mut Connection) -> Result<(), Failure> {
    demand(
        connection,
        "write the control tables",
        &[(WRITE_CONTROL, None)],
    )
    .await
}

/// To work on rows and put on record what became of them.
pub(crate) async fn to_record(connection: &mut Connection) -> Result<(), Failure> {
    let needed: Vec<String> = BACKFILL
        .iter()
        .enumerate()
        .map(|(at, (table, right))| format!("({at}, '{table}', '{right}')"))
        .collect();
    let question = RECORD.replace("{needed}", &needed.join(", "));
    demand(
        connection,
        "write the record of what is done to rows",
        &[(question.as_str(), None)],
    )
    .await
}

/// To create the control tables.
pub(crate) async fn to_install(connection: &mut Connection) -> Result<(), Failure> {
    demand(connection, "create the control tables", &[(INSTALL, None)]).await
}

/// To execute a section on these tables.
pub(crate) async fn to_alter(
    connection: &mut Connection,
    tables: &[String],
) -> Result<(), Failure> {
    let questions: Vec<_> = tables
        .iter()
        .map(|table| (ALTER, Some(table.as_str())))
        .collect();
    demand(
        connection,
        &format!("change {}", tables.join(", ")),
        &questions,
    )
    .await
}

/// The schemas that these tables name are there: no version creates one.
pub(crate) async fn schemas_are_there(
    connection: &mut Connection,
    tables: &[String],
) -> Result<(), Failure> {
    if connection.dialect() != Dialect::Postgres {
        return Ok(());
    }
    for table in tables {
        let Some(schema) = names::schema_of(table) else {
            continue;
        };
        let found = "SELECT nspname::text FROM pg_namespace WHERE nspname = $1";
        if connection.query(found, &[schema.into()]).await?.is_empty() {
            return Err(Failure::environment(
                format!("{table} is to be in the schema {schema}, which is not there, and no version creates one"),
                format!(
                    "let whoever is to own it run `CREATE SCHEMA {};`, or put that into zdm/raw/expand/before_schema.up.sql for \
                     the version; then run the command again",
                    catalogue::relation(schema)
                ),
            )
            .safe("nothing was executed"));
        }
    }
    Ok(())
}

/// To backfill these tables.
pub(crate) async fn to_fill<'a>(
    connection: &mut Connection,
    tables: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    let tables: Vec<&str> = tables.collect();
    let questions: Vec<_> = tables.iter().map(|table| (ROWS, Some(*table))).collect();
    demand(
        connection,
        &format!("write the rows of {}", tables.join(", ")),
        &questions,
    )
    .await
}

/// To add to control tables of this version what later ones have: only an owner alters a table.
pub(crate) async fn to_upgrade(connection: &mut Connection, version: i64) -> Result<(), Failure> {
    if connection.dialect() != Dialect::Postgres {
        return Ok(());
    }
    let owners: Vec<String> = connection
        .query(OWNERS_OF_CONTROL, &[])
        .await?
        .into_iter()
        .filter_map(|row| match row.into_iter().next() {
            Some(Value::Text(owner)) => owner,
            _ => None,
        })
        .collect();
    if owners.is_empty() {
        return Ok(());
    }
    let owners = owners.join(" and ");
    Err(Failure::environment(
        format!(
            "the control tables are of version {version}, this tool needs version {}, and only {owners} may change them",
            control::VERSION
        ),
        format!(
            "let {owners}, or a superuser, run `{}`, or run this command as a role that owns them; no version of the folder \
             is executed for that, and running applications go on",
            control::upgrade(connection.dialect(), version)
        ),
    )
    .safe("nothing was changed"))
}

async fn demand(
    connection: &mut Connection,
    what: &str,
    questions: &[(&str, Option<&str>)],
) -> Result<(), Failure> {
    if connection.dialect() != Dialect::Postgres {
        return Ok(());
    }
    let mut grants = Vec::new();
    for (sql, table) in questions {
        let spelled = table.map(catalogue::relation);
        let values: Vec<Value> = spelled.iter().map(|table| table.as_str().into()).collect();
        for row in connection.query(sql, &values).await? {
            if let [Value::Text(Some(grant))] = row.as_slice()
                && !grants.contains(grant)
            {
                grants.push(grant.clone());
            }
        }
    }
    if grants.is_empty() {
        return Ok(());
    }
    Err(Failure::environment(
        format!("the role of this connection may not {what}"),
        format!(
            "let their owner run `{};`, or use the role that owns the tables; then run the command again",
            grants.join("; ")
        ),
    )
    .safe("nothing was executed"))
}
