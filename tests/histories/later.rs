//! What later versions demand of rows: those that new constraints refuse go, and those that others will refer to come.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::compare;
use super::history::Step;
use super::rows::{Key, PLAIN, Table, ident, keys, tables};
use super::values::quoted;

/// What takes away rows that a check or a unique key refuses, or that an index or a generated column cannot compute its value of.
const LATER: &str = "SELECT format('DELETE FROM %I WHERE (%s) IS FALSE', c.relname, pg_get_expr(k.conbin, k.conrelid))
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'c' AND c.relnamespace = quote_ident(current_schema())::regnamespace
    UNION ALL SELECT format('DELETE FROM %1$I WHERE ctid IN (SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY %2$s)
            FROM %1$I WHERE ROW(%2$s) IS NOT NULL AND %3$s) of_one WHERE row_number > 1)', c.relname,
        (SELECT string_agg(pg_get_indexdef(i.indexrelid, n, false), ', ') FROM generate_series(1, i.indnkeyatts) n(n)),
        coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE i.indisunique AND c.relnamespace = quote_ident(current_schema())::regnamespace
    UNION ALL SELECT format('DO $do$ DECLARE found tid; BEGIN FOR found IN SELECT ctid FROM %1$I LOOP
            BEGIN PERFORM %2$s FROM %1$I WHERE ctid = found;
            EXCEPTION WHEN OTHERS THEN DELETE FROM %1$I WHERE ctid = found; END;
        END LOOP; END $do$', c.relname, found.expression)
    FROM (SELECT indrelid AS of, pg_get_expr(indexprs, indrelid) AS expression FROM pg_index WHERE indexprs IS NOT NULL
        UNION ALL SELECT adrelid, pg_get_expr(adbin, adrelid)
            FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE attgenerated <> '') AS found
    JOIN pg_class c ON c.oid = found.of
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace";

/// What a new column that references one other will hold in rows that exist.
const DEFAULTS: &str = "SELECT c.relname::text, a.attname::text, r.relname::text, b.attname::text,
        coalesce(pg_get_expr(d.adbin, d.adrelid), '1'), a.attnotnull
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
    JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = k.confkey[1]
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE k.contype = 'f' AND cardinality(k.conkey) = 1 AND (a.attnotnull OR d.adbin IS NOT NULL)
        AND c.relnamespace = quote_ident(current_schema())::regnamespace AND r.relnamespace = c.relnamespace";

/// Adds the rows that new columns will refer to by their defaults.
pub(super) async fn add_defaults(
    connection: &mut PgConnection,
    later: &mut PgConnection,
    there: &[Table],
) {
    for row in sqlx::query(DEFAULTS).fetch_all(&mut *later).await.unwrap() {
        let (child, column): (String, String) = (row.get(0), row.get(1));
        let comes = there.iter().any(|table| {
            table.name == child && table.columns.iter().all(|known| known.name != column)
        });
        let (parent, referenced): (String, String) = (row.get(2), row.get(3));
        if let Some(parent) = there.iter().find(|table| comes && table.name == parent) {
            // Refused where the row is there already.
            let given = BTreeMap::from([(referenced.as_str(), row.get(4))]);
            let _ = parent.insert(connection, PLAIN + 90, &given).await;
        }
    }
}

/// Takes rows away that will have to refer to a row of a table which has none: nobody could say to which.
pub(super) async fn without_parents(connection: &mut PgConnection, later: &mut PgConnection) {
    for row in sqlx::query(DEFAULTS).fetch_all(&mut *later).await.unwrap() {
        let [child, column, parent]: [String; 3] = [row.get(0), row.get(1), row.get(2)];
        if !row.get::<bool, _>(5) {
            continue;
        }
        let sql = format!(
            "SET LOCAL session_replication_role = origin;
            DELETE FROM {} WHERE {} IS NULL AND NOT EXISTS (SELECT FROM {})",
            ident(&child),
            ident(&column),
            ident(&parent)
        );
        let mut transaction = connection.begin().await.unwrap();
        // Refused where a table or the column is not there yet.
        let done = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *transaction)
            .await;
        if done.is_ok() {
            transaction.commit().await.unwrap();
        }
    }
}

/// What a person does who reads that rows refer to some that are not there: adds those.
pub(crate) async fn add_missing(connection: &mut PgConnection, said: &str) -> bool {
    let found = said.split_once(" violates foreign key constraint \"");
    let Some(name) = found.and_then(|(_, rest)| rest.split('"').next()) else {
        return false;
    };
    let tables = tables(connection).await;
    let all = keys(connection).await;
    let Some((child, key)) = all.iter().find(|(_, key)| key.name == name) else {
        return false;
    };
    let mut missing = missing(connection, child, key).await;
    // What a statement would have written is not in the table.
    if let [column] = &key.columns[..] {
        let refused = said.split_once(&format!("Key ({column})=("));
        let refused = refused.and_then(|(_, rest)| rest.split_once(") is not present"));
        missing.extend(refused.map(|(value, _)| vec![value.to_owned()]));
    }
    missing.dedup();
    let mut added = false;
    let mut waiting = vec![(key, missing)];
    for _ in 0..30 {
        let Some((key, missing)) = waiting.pop() else {
            break;
        };
        let Some(parent) = tables.iter().find(|table| table.name == key.parent) else {
            continue;
        };
        for values in missing {
            added |= add(connection, parent, key, &values).await;
        }
        for (of, key) in all.iter().filter(|(of, _)| *of == parent.name) {
            let missing = self::missing(connection, of, key).await;
            if added && !missing.is_empty() {
                waiting.push((key, missing));
            }
        }
    }
    added
}

/// The values by which rows of a table refer to rows that are not there.
async fn missing(connection: &mut PgConnection, child: &str, key: &Key) -> Vec<Vec<String>> {
    let (columns, referenced) = (key.columns.iter(), key.referenced.iter());
    let listed: Vec<String> = columns
        .clone()
        .map(|name| format!("c.{}::text", ident(name)))
        .collect();
    let given: Vec<String> = columns
        .clone()
        .map(|name| format!("c.{} IS NOT NULL", ident(name)))
        .collect();
    let equal: Vec<String> = columns
        .zip(referenced)
        .map(|(one, other)| format!("p.{} = c.{}", ident(other), ident(one)))
        .collect();
    let sql = format!(
        "SELECT DISTINCT ARRAY[{}] FROM {} c WHERE {} AND NOT EXISTS (SELECT FROM {} p WHERE {})",
        listed.join(", "),
        ident(child),
        given.join(" AND "),
        ident(&key.parent),
        equal.join(" AND ")
    );
    let found = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await;
    found.unwrap_or_default()
}

/// A row that others refer to by these values; what it refers to itself may come after it.
async fn add(connection: &mut PgConnection, parent: &Table, key: &Key, values: &[String]) -> bool {
    let there = format!("SELECT count(*) FROM {}", ident(&parent.name));
    let there: i64 = sqlx::query_scalar(AssertSqlSafe(there))
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let given = key.referenced.iter().zip(values);
    let of_added: Vec<String> = given
        .clone()
        .map(|(name, value)| format!("{}::text = {}", ident(name), quoted(value)))
        .collect();
    let mut given: BTreeMap<&str, String> = given
        .map(|(name, value)| (name.as_str(), quoted(value)))
        .collect();
    // A row that has to refer to one of its own table refers to itself: else it would need one more, and so on.
    let of_itself = parent.keys.iter().filter(|key| key.parent == parent.name);
    for (column, referenced) in of_itself.flat_map(|key| key.columns.iter().zip(&key.referenced)) {
        if let Some(value) = given.get(referenced.as_str()).cloned() {
            given.entry(column).or_insert(value);
        }
    }
    let number = 1000 + usize::try_from(there).unwrap();
    unchecked(connection, true).await;
    let inserted = parent.insert(connection, number, &given).await;
    unchecked(connection, false).await;
    if inserted.is_ok() {
        compare::keep_too(connection, &parent.name, &of_added.join(" AND ")).await;
    }
    inserted.is_ok()
}

async fn unchecked(connection: &mut PgConnection, on: bool) {
    let role = if on { "replica" } else { "origin" };
    sqlx::raw_sql(AssertSqlSafe(format!(
        "SET session_replication_role = {role}"
    )))
    .execute(connection)
    .await
    .unwrap();
}

/// Takes rows away that a later check or unique key refuses.
pub(super) async fn without_refused(
    connection: &mut PgConnection,
    later: &mut PgConnection,
    step: &Step,
) {
    let rows = sqlx::query(LATER).fetch_all(&mut *later).await.unwrap();
    for row in rows {
        let statement: String = row.get(0);
        for sql in [statement.clone(), step.in_old_words(&statement)] {
            let mut transaction = connection.begin().await.unwrap();
            // Refused where the table or a column is not there yet, which leaves nothing to take away.
            let done = sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut *transaction)
                .await;
            if done.is_ok() {
                transaction.commit().await.unwrap();
                break;
            }
        }
    }
}
