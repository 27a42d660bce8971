//! What `PostgreSQL` has under the name of an index, beside what the plan builds: `IF NOT EXISTS` takes whatever has the name,
//! and `IF EXISTS` drops it.
//!
//! Comes in: a connection outside a transaction, a step that builds an index. Goes out: [`Found`].
//! Must not know: what follows from it.

use std::collections::BTreeMap;

use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Value};
use crate::losses::quoted;
use crate::manifest::{IndexDefinition, Step};

/// What has the name.
pub(super) enum Found {
    Nothing,
    /// What the plan builds; without its end where an attempt was stopped.
    Planned {
        name: String,
        valid: bool,
    },
    /// Something else, in words.
    Other(String),
}

/// All by which two indexes of one table may differ, but for the name.
const FORM: &str =
    "pg_catalog.concat_ws(E'\\n', index.indisunique, method.amname, pg_catalog.to_jsonb(index) ->> 'indnullsnotdistinct',
    index.indnkeyatts, index.indclass, index.indcollation, index.indoption,
    (SELECT pg_catalog.string_agg(pg_catalog.pg_get_indexdef(index.indexrelid, n, false), ', ' ORDER BY n)
     FROM pg_catalog.generate_series(1, index.indnatts) AS n),
    pg_catalog.pg_get_expr(index.indpred, index.indrelid))";

/// In the table's schema, where it would be created, and where the plan's name of it leads to, where it would be dropped.
const THERE: &str = "FROM pg_class AS class
    JOIN pg_namespace AS space ON space.oid = class.relnamespace
    LEFT JOIN pg_am AS method ON method.oid = class.relam
    LEFT JOIN pg_index AS index ON index.indexrelid = class.oid
    WHERE class.relname = CAST(CAST($1 AS text) AS name) AND (class.oid = CAST(pg_catalog.to_regclass($3) AS oid)
        OR class.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($2) AS oid)))";

/// Looks; `begun` says that the record tells of it, for a plan that does not say how it looks.
pub(super) async fn look(
    connection: &mut Connection,
    step: &Step,
    name: &str,
    begun: bool,
) -> Result<Found, DatabaseError> {
    let sql = format!(
        "SELECT pg_catalog.quote_ident(space.nspname) || '.' || pg_catalog.quote_ident(class.relname),
            coalesce(pg_catalog.pg_get_indexdef(index.indexrelid), 'a relation that is no index, of the kind ' || CAST(class.relkind AS text)),
            coalesce(index.indisvalid AND index.indisready, true),
            coalesce(index.indrelid = CAST(pg_catalog.to_regclass($2) AS oid), false), {FORM} {THERE}"
    );
    let table = relation(&step.table);
    let index = match table.rsplit_once('.') {
        Some((schema, _)) if step.table.contains('.') => format!("{schema}.{}", quoted(name)),
        _ => quoted(name),
    };
    let values = [name.into(), table.as_str().into(), index.as_str().into()];
    let rows = connection.query_file(&sql, &values).await?;
    let mut planned = Found::Nothing;
    for row in rows {
        let [
            Value::Text(Some(name)),
            Value::Text(Some(definition)),
            Value::Int(Some(valid)),
            Value::Int(Some(of_table)),
            Value::Text(Some(form)),
        ] = row.as_slice()
        else {
            return Err(DatabaseError::unexpected("what has a name", &row));
        };
        let is_planned = *of_table != 0
            && match &step.index {
                Some(definition) => *form == wanted(connection, step, definition).await?,
                None => begun,
            };
        let valid = *valid != 0;
        if !is_planned {
            let state = if valid { "" } else { ", which is invalid" };
            return Ok(Found::Other(format!("{definition}{state}")));
        }
        planned = Found::Planned {
            name: name.clone(),
            valid,
        };
    }
    Ok(planned)
}

/// What builds the index of a partitioned table beside writers, for somebody to run (manual, "CREATE INDEX", "Building Indexes
/// Concurrently"); nothing for any other table.
pub(super) async fn by_partition(
    connection: &mut Connection,
    step: &Step,
    name: &str,
) -> Result<Vec<String>, DatabaseError> {
    let Some(definition) = &step.index else {
        return Ok(Vec::new());
    };
    let rows = connection
        .query(
            "SELECT part.relid::regclass::text, coalesce(part.parentrelid::regclass::text, ''), part.isleaf::int,
                    CASE WHEN pg_catalog.pg_table_is_visible(part.relid) THEN '' ELSE pg_catalog.quote_ident(space.nspname) || '.' END
             FROM pg_class AS root, pg_catalog.pg_partition_tree(root.oid) AS part
             JOIN pg_class AS class ON class.oid = part.relid
             JOIN pg_namespace AS space ON space.oid = class.relnamespace
             WHERE root.oid = CAST(pg_catalog.to_regclass($1) AS oid) AND root.relkind = 'p' ORDER BY part.level, 1",
            &[relation(&step.table).as_str().into()],
        )
        .await?;
    let unique = if definition.unique { "UNIQUE " } else { "" };
    let over = over(definition);
    // By table, as SQL names it from outside its schema.
    let mut indexes: BTreeMap<String, String> = BTreeMap::new();
    let mut statements = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let [
            Value::Text(Some(table)),
            Value::Text(Some(parent)),
            Value::Int(Some(is_leaf)),
            Value::Text(Some(schema)),
        ] = row.as_slice()
        else {
            return Err(DatabaseError::unexpected(
                "which partitions a table has",
                row,
            ));
        };
        let above = indexes.get(parent);
        let index = match above {
            Some(_) => quoted(&format!("{name}_{number}")),
            None => quoted(name),
        };
        let how = if *is_leaf == 0 {
            format!("{unique}INDEX {index} ON ONLY {table}")
        } else {
            format!("{unique}INDEX CONCURRENTLY {index} ON {table}")
        };
        statements.push(format!("CREATE {how} {over};"));
        if let Some(above) = above {
            statements.push(format!(
                "ALTER INDEX {above} ATTACH PARTITION {schema}{index};"
            ));
        }
        indexes.insert(table.clone(), format!("{schema}{index}"));
    }
    Ok(statements)
}

/// How the database itself writes what the plan builds, asked of an empty table that is gone with its transaction.
async fn wanted(
    connection: &mut Connection,
    step: &Step,
    index: &IndexDefinition,
) -> Result<String, DatabaseError> {
    connection.begin().await?;
    let form = match connection.run_file(&on_empty(step, index)).await {
        Ok(()) => read(connection).await,
        Err(error) => Err(error),
    };
    connection.rollback().await?;
    form
}

/// Makes the index on an empty table of the same columns.
fn on_empty(step: &Step, index: &IndexDefinition) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    format!(
        "CREATE TEMPORARY TABLE zdm_wanted (LIKE {}); CREATE {unique}INDEX zdm_wanted_index ON pg_temp.zdm_wanted {}",
        relation(&step.table),
        over(index)
    )
}

/// By what an index tells rows apart, as SQL.
#[derive(Debug, Default)]
pub(super) struct ToldApart {
    pub(super) by: Vec<String>,
    /// Two NULLs are the same as well.
    pub(super) nulls: bool,
    /// The rows that it holds.
    pub(super) predicate: Option<String>,
}

/// How the database itself reads the index, asked of an empty table in a transaction that the caller takes back.
pub(super) async fn told_apart(
    connection: &mut Connection,
    step: &Step,
    index: &IndexDefinition,
) -> Result<ToldApart, DatabaseError> {
    connection.run_file(&on_empty(step, index)).await?;
    let rows = connection
        .query_file(
            "SELECT pg_catalog.pg_get_indexdef(index.indexrelid, n, false),
                coalesce(pg_catalog.to_jsonb(index) ->> 'indnullsnotdistinct' = 'true', false),
                pg_catalog.pg_get_expr(index.indpred, index.indrelid)
             FROM pg_index AS index, pg_catalog.generate_series(1, CAST(index.indnkeyatts AS integer)) AS n
             WHERE index.indexrelid = CAST(pg_catalog.to_regclass('pg_temp.zdm_wanted_index') AS oid) ORDER BY n",
            &[],
        )
        .await?;
    let mut told = ToldApart::default();
    for row in rows {
        let [
            Value::Text(Some(by)),
            Value::Int(Some(nulls)),
            Value::Text(predicate),
        ] = row.as_slice()
        else {
            return Err(DatabaseError::unexpected(
                "by what an index tells rows apart",
                &row,
            ));
        };
        told.by.push(by.clone());
        told.nulls = *nulls != 0;
        told.predicate.clone_from(predicate);
    }
    Ok(told)
}

fn over(index: &IndexDefinition) -> String {
    if let Some(over) = &index.over {
        return over.clone();
    }
    let columns: Vec<String> = index.columns.iter().map(|column| quoted(column)).collect();
    let predicate = index
        .predicate
        .as_ref()
        .map(|predicate| format!(" WHERE {predicate}"));
    format!("({}){}", columns.join(", "), predicate.unwrap_or_default())
}

async fn read(connection: &mut Connection) -> Result<String, DatabaseError> {
    let sql = format!(
        "SELECT {FORM} FROM pg_index AS index JOIN pg_class AS class ON class.oid = index.indexrelid
         JOIN pg_am AS method ON method.oid = class.relam
         WHERE index.indexrelid = CAST(pg_catalog.to_regclass('pg_temp.zdm_wanted_index') AS oid)"
    );
    match connection
        .query_file(&sql, &[])
        .await?
        .first()
        .map(Vec::as_slice)
    {
        Some([Value::Text(Some(form))]) => Ok(form.clone()),
        row => Err(DatabaseError::unexpected(
            "how an index is written",
            row.unwrap_or_default(),
        )),
    }
}
