//! What in the database names a column or a table that a version takes away: views, triggers, functions, policies, rules.
//!
//! Comes in: a connection, a version. Goes out: each of them, unless a step of the version drops it before. Nothing is changed.
//! Must not know: when it is asked.

use crate::database::{Connection, DatabaseError, Dialect, Value, catalogue};
use crate::manifest::{Direction, Manifest, Names, Released};
use crate::migration::Migration;
use crate::phase::Section;

/// An object that would not hold any more, or keeps the database from dropping what it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependent {
    /// `view`, `trigger`, `function`.
    pub kind: String,
    /// Its name, without its schema.
    pub name: String,
    /// `the column users.name`
    pub on: String,
}

/// Per column, or for the whole table where `$2` is NULL. What goes along with its table is left out (`deptype` a and i).
const POSTGRES: &str = "SELECT DISTINCT kind, CAST(name AS text) FROM (
    SELECT CASE v.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'rule' END AS kind,
        CASE WHEN v.relkind IN ('v', 'm') THEN v.relname ELSE r.rulename END AS name, d.refobjid, d.refobjsubid, d.deptype
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = CAST('pg_rewrite' AS regclass) AND r.oid = d.objid
        JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.refclassid = CAST('pg_class' AS regclass) AND v.oid <> d.refobjid
    UNION ALL SELECT 'rule', r.rulename, d.refobjid, d.refobjsubid, d.deptype
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = CAST('pg_rewrite' AS regclass) AND r.oid = d.objid
    WHERE d.refclassid = CAST('pg_class' AS regclass) AND r.ev_class = d.refobjid AND r.rulename <> '_RETURN'
    UNION ALL SELECT 'trigger', t.tgname, d.refobjid, d.refobjsubid, d.deptype
    FROM pg_depend d JOIN pg_trigger t ON d.classid = CAST('pg_trigger' AS regclass) AND t.oid = d.objid
    WHERE d.refclassid = CAST('pg_class' AS regclass) AND NOT t.tgisinternal
    UNION ALL SELECT 'policy', p.polname, d.refobjid, d.refobjsubid, d.deptype
    FROM pg_depend d JOIN pg_policy p ON d.classid = CAST('pg_policy' AS regclass) AND p.oid = d.objid
    WHERE d.refclassid = CAST('pg_class' AS regclass)
    UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.proname, d.refobjid, d.refobjsubid, d.deptype
    FROM pg_depend d JOIN pg_proc p ON d.classid = CAST('pg_proc' AS regclass) AND p.oid = d.objid
    WHERE d.refclassid = CAST('pg_class' AS regclass)
    UNION ALL SELECT 'generated column', a.attname, d.refobjid, d.refobjsubid, 'n'
    FROM pg_depend d JOIN pg_attrdef f ON d.classid = CAST('pg_attrdef' AS regclass) AND f.oid = d.objid
        JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE d.refclassid = CAST('pg_class' AS regclass) AND a.attgenerated <> ''
        AND NOT (f.adrelid = d.refobjid AND f.adnum = d.refobjsubid)
    UNION ALL SELECT 'generated column', a.attname, d.refobjid, d.refobjsubid, 'n'
    FROM pg_depend d JOIN pg_attribute a ON d.classid = CAST('pg_class' AS regclass) AND a.attrelid = d.objid AND a.attnum = d.objsubid
    WHERE d.refclassid = CAST('pg_class' AS regclass) AND a.attgenerated <> '' AND d.objsubid > 0
        AND NOT (a.attrelid = d.refobjid AND a.attnum = d.refobjsubid)
    ) found
    WHERE refobjid = to_regclass(quote_ident($1)) AND CASE WHEN CAST($2 AS text) IS NULL
        THEN deptype = 'n' AND kind <> 'generated column' AND (kind NOT IN ('trigger', 'policy', 'rule'))
        ELSE refobjsubid = (SELECT attnum FROM pg_attribute WHERE attrelid = refobjid AND attname = CAST($2 AS text) AND NOT attisdropped) END
    ORDER BY 1, 2";

/// What names something that the version takes away, and is still there when it goes.
pub async fn of(
    connection: &mut Connection,
    migration: &Migration,
) -> Result<Vec<Dependent>, DatabaseError> {
    let mut found = Vec::new();
    for (table, names) in &migration.manifest().drops {
        let mut gone = taken(names);
        for released in released(migration.manifest(), table) {
            // Until it is released, the column that goes has the name of the one that stays.
            let there = catalogue::columns(connection, table).await?;
            if !there.contains(&released.name) {
                gone.push(Some(&released.column));
            }
        }
        for column in gone {
            let on = match column {
                Some(column) => format!("the column {table}.{column}"),
                None => format!("the table {table}"),
            };
            let named = match connection.dialect() {
                Dialect::Postgres => on_postgres(connection, table, column).await?,
                Dialect::Sqlite => on_sqlite(connection, table, column).await?,
            };
            found.extend(named.into_iter().map(|(kind, name)| Dependent {
                kind,
                name,
                on: on.clone(),
            }));
        }
    }
    let dropped = dropped_before(migration);
    // A generated column that goes as well is no obstacle.
    let going = |dependent: &Dependent| {
        let mut tables = migration.manifest().drops.values();
        dependent.kind == "generated column"
            && tables.any(|names| names.columns.contains(&dependent.name))
    };
    found.retain(|dependent| {
        let name = dependent.name.to_lowercase();
        !going(dependent) && !dropped.contains(&(dependent.kind.clone(), name))
    });
    found.sort();
    found.dedup();
    Ok(found)
}

fn released<'a>(manifest: &'a Manifest, table: &'a str) -> impl Iterator<Item = &'a Released> {
    let of_table = manifest
        .pairs
        .iter()
        .filter(move |pair| pair.table == table);
    of_table.filter_map(|pair| pair.released.as_ref())
}

/// The whole table, or its columns.
fn taken(names: &Names) -> Vec<Option<&str>> {
    if names.table {
        return vec![None];
    }
    names
        .columns
        .iter()
        .map(|column| Some(column.as_str()))
        .collect()
}

async fn on_postgres(
    connection: &mut Connection,
    table: &str,
    column: Option<&str>,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let column = Value::Text(column.map(str::to_owned));
    let rows = connection.query(POSTGRES, &[table.into(), column]).await?;
    rows.iter()
        .map(|row| match row.as_slice() {
            [Value::Text(Some(kind)), Value::Text(Some(name))] => Ok((kind.clone(), name.clone())),
            _ => Err(DatabaseError::unexpected("what depends on a table", row)),
        })
        .collect()
}

/// `SQLite` keeps no dependencies, but rewrites whatever names a column that is renamed (manual, "ALTER TABLE RENAME"): what it
/// would rewrite is seen in a transaction that is rolled back.
async fn on_sqlite(
    connection: &mut Connection,
    table: &str,
    column: Option<&str>,
) -> Result<Vec<(String, String)>, DatabaseError> {
    const TEXTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY type, name";
    const PROBE: &str = "zdm_probe_of_dependents";
    let there = catalogue::columns(connection, table).await?;
    if there.is_empty() || column.is_some_and(|column| !there.iter().any(|known| known == column)) {
        return Ok(Vec::new());
    }
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let rename = match column {
        Some(column) => format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {PROBE}",
            quoted(table),
            quoted(column)
        ),
        None => format!("ALTER TABLE {} RENAME TO {PROBE}", quoted(table)),
    };
    let before = connection.query(TEXTS, &[]).await?;
    connection.begin().await?;
    let renamed = connection.run_file(&rename).await;
    let after = match renamed {
        Ok(()) => connection.query(TEXTS, &[]).await,
        Err(error) => Err(error),
    };
    connection.rollback().await?;
    let after = after?;
    let mut found = Vec::new();
    for row in &before {
        let [
            Value::Text(Some(kind)),
            Value::Text(Some(name)),
            Value::Text(Some(of)),
            sql,
        ] = row.as_slice()
        else {
            return Err(DatabaseError::unexpected(
                "which views and triggers there are",
                row,
            ));
        };
        let same = after
            .iter()
            .any(|other| other[0] == row[0] && other[1] == row[1] && other[3] == *sql);
        let goes_along = column.is_none() && kind == "trigger" && of == table;
        if !same && !goes_along {
            found.push((kind.clone(), name.clone()));
        }
    }
    Ok(found)
}

/// What the version's own steps drop before something of the generated SQL goes: `(kind, name)` in lower case.
fn dropped_before(migration: &Migration) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for section in Section::ALL {
        for step in migration.manifest().steps_of(section, Direction::Up) {
            found.extend(dropped(migration.sql(step)));
        }
    }
    found
}

fn dropped(sql: &str) -> Vec<(String, String)> {
    let code: String = sql
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = Vec::new();
    for statement in code.split(';') {
        let lower = statement.trim().to_lowercase();
        let Some(rest) = lower.strip_prefix("drop ") else {
            continue;
        };
        let kinds = [
            "materialized view",
            "view",
            "trigger",
            "function",
            "procedure",
            "policy",
            "rule",
        ];
        for kind in kinds {
            let Some(names) = rest.trim_start().strip_prefix(kind) else {
                continue;
            };
            let names = names.trim_start();
            let names = names.strip_prefix("if exists").unwrap_or(names);
            let names = names.split(" on ").next().unwrap_or_default();
            let names = names
                .split(['(', ')'])
                .step_by(2)
                .collect::<Vec<_>>()
                .join(" ");
            for name in names.split(',') {
                let name = name.split_whitespace().next().unwrap_or_default();
                let name = name
                    .rsplit('.')
                    .next()
                    .unwrap_or_default()
                    .trim_matches('"');
                if !name.is_empty() {
                    found.push((kind.to_owned(), name.to_owned()));
                }
            }
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_drops_is_seen() {
        let found = dropped(
            "-- DROP VIEW not_this;\nDROP VIEW IF EXISTS public.shown, \"Other\" CASCADE;\ndrop trigger touch on users;
            DROP FUNCTION f(int, text), g();DROP MATERIALIZED VIEW counts; CREATE VIEW b AS SELECT 1",
        );
        let shown: Vec<_> = found
            .iter()
            .map(|(kind, name)| format!("{kind} {name}"))
            .collect();
        assert_eq!(
            shown,
            [
                "view shown",
                "view other",
                "trigger touch",
                "function f",
                "function g",
                "materialized view counts"
            ]
        );
    }
}
