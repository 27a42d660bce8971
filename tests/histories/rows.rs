//! Rows for every table of a schema: of every type, at every edge that the table's constraints let in.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::history::Step;
use super::later;
use super::values::{Column, quoted};

const COLUMNS: &str = "SELECT c.relname::text AS table_name, a.attname::text AS name, b.typname::text AS base,
        format_type(a.atttypid, a.atttypmod) AS sql_type, b.typcategory::text AS category, NOT a.attnotnull AS nullable,
        CASE WHEN b.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4 END AS length,
        ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = b.oid ORDER BY enumsortorder) AS labels,
        a.attidentity <> '' OR a.attgenerated <> '' OR COALESCE(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false)
            AS counted
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind = 'r'
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum";

const KEYS: &str = "SELECT k.conname::text AS name, c.relname::text AS of, r.relname::text AS parent,
        ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY n(n, o)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.n ORDER BY o) AS columns,
        ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY n(n, o)
            JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = n.n ORDER BY o) AS referenced
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
    WHERE k.contype = 'f' AND c.relnamespace = quote_ident(current_schema())::regnamespace
        AND r.relnamespace = c.relnamespace";

const CHECKS: &str = "SELECT c.relname::text, k.conname::text, pg_get_constraintdef(k.oid),
        ARRAY(SELECT a.attname::text FROM unnest(k.conkey) n(n) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.n)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'c' AND c.relnamespace = quote_ident(current_schema())::regnamespace";

/// Rows whose every value is plain.
pub(super) const PLAIN: usize = 4;

#[derive(Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) parent: String,
    pub(super) columns: Vec<String>,
    pub(super) referenced: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) keys: Vec<Key>,
    /// Per check the columns and the values that its condition names.
    checks: BTreeMap<String, (Vec<String>, Vec<String>)>,
}

/// Fills every table with rows that the tables of `later` would take as well; the names of those that hold none.
///
/// Where a later constraint refuses rows, a migration stops and says so: other tests are about that.
pub(crate) async fn fill(
    connection: &mut PgConnection,
    later: &mut PgConnection,
    step: &Step,
) -> Vec<String> {
    // Values are given as they are: what triggers would make of them is nobody's business here.
    sqlx::query("SET session_replication_role = replica")
        .execute(&mut *connection)
        .await
        .unwrap();
    let mut tables = tables(connection).await;
    for (table, key) in keys(later).await {
        let known = |columns: &[String], of: &Table| {
            columns
                .iter()
                .all(|name| of.columns.iter().any(|column| column.name == *name))
        };
        let parent = tables
            .iter()
            .any(|parent| parent.name == key.parent && known(&key.referenced, parent));
        let child = tables.iter_mut().find(|child| child.name == table);
        if let Some(child) = child.filter(|child| parent && known(&key.columns, child)) {
            child.keys.push(key);
        }
    }
    let there = tables.clone();
    let mut empty = Vec::new();
    while !tables.is_empty() {
        let waits = |table: &Table| {
            let mut parents = table.keys.iter().map(|key| &key.parent);
            let other = |parent: &String| {
                *parent != table.name && tables.iter().any(|waiting| waiting.name == *parent)
            };
            parents.any(other)
        };
        let next = tables.iter().position(|table| !waits(table)).unwrap_or(0);
        let table = tables.remove(next);
        if !table.fill(connection).await {
            empty.push(table.name);
        }
    }
    later::add_defaults(connection, later, &there).await;
    later::without_parents(connection, later).await;
    later::without_refused(connection, later, step).await;
    sqlx::query("SET session_replication_role = origin")
        .execute(&mut *connection)
        .await
        .unwrap();
    empty
}

pub(super) async fn tables(connection: &mut PgConnection) -> Vec<Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in sqlx::query(COLUMNS)
        .fetch_all(&mut *connection)
        .await
        .unwrap()
    {
        let name: String = row.get("table_name");
        let column = sqlx::FromRow::from_row(&row).unwrap();
        let table = tables.entry(name.clone()).or_insert_with(|| Table {
            name,
            columns: Vec::new(),
            keys: Vec::new(),
            checks: BTreeMap::new(),
        });
        table.columns.push(column);
    }
    for (of, key) in keys(connection).await {
        if let Some(table) = tables.get_mut(&of) {
            table.keys.push(key);
        }
    }
    for row in sqlx::query(CHECKS)
        .fetch_all(&mut *connection)
        .await
        .unwrap()
    {
        if let Some(table) = tables.get_mut(&row.get::<String, _>(0)) {
            let named = named_values(&row.get::<String, _>(2));
            table.checks.insert(row.get(1), (row.get(3), named));
        }
    }
    tables.into_values().collect()
}

/// Foreign keys by their table.
pub(super) async fn keys(connection: &mut PgConnection) -> Vec<(String, Key)> {
    let rows = sqlx::query(KEYS).fetch_all(connection).await.unwrap();
    let keys = rows.iter().map(|row| {
        let key = Key {
            name: row.get("name"),
            parent: row.get("parent"),
            columns: row.get("columns"),
            referenced: row.get("referenced"),
        };
        (row.get("of"), key)
    });
    keys.collect()
}

/// The texts and numbers in a condition: one of them is likely what it lets in.
fn named_values(condition: &str) -> Vec<String> {
    let texts = condition.split('\'').skip(1).step_by(2).map(quoted);
    let numbers = condition
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty() && digits.len() < 6)
        .flat_map(|digits| {
            [
                digits.to_owned(),
                quoted(&"x".repeat(digits.parse().unwrap_or(1))),
            ]
        });
    texts.chain(numbers).collect()
}

impl Table {
    /// Whether it holds a row now.
    async fn fill(&self, connection: &mut PgConnection) -> bool {
        let mut given: BTreeMap<&str, String> = BTreeMap::new();
        let mut row = 0;
        let mut held = false;
        while row < PLAIN {
            row += 1;
            held |= self.plain(connection, row, &mut given).await;
        }
        for column in self.columns.iter().filter(|column| !column.counted) {
            let references = self
                .keys
                .iter()
                .any(|key| key.columns.contains(&column.name));
            let edges = column.edges().into_iter();
            for edge in edges.filter(|edge| !references || edge == "NULL") {
                row += 1;
                let mut values = given.clone();
                values.insert(&column.name, edge);
                held |= self.insert(connection, row, &values).await.is_ok();
            }
        }
        held
    }

    /// A plain row; `given` learns what checks want.
    async fn plain<'a>(
        &'a self,
        connection: &mut PgConnection,
        row: usize,
        given: &mut BTreeMap<&'a str, String>,
    ) -> bool {
        let mut refused = self.insert(connection, row, given).await;
        for _ in 0..self.checks.len() {
            let Err(Some(check)) = &refused else { break };
            let Some((columns, named)) = self.checks.get(check) else {
                break;
            };
            let tries = columns
                .iter()
                .flat_map(|column| named.iter().map(move |value| (column, value)));
            let mut passed = None;
            for (column, value) in tries {
                let mut values = given.clone();
                values.insert(column, value.clone());
                let now = self.insert(connection, row, &values).await;
                if now != refused && now != Err(None) {
                    passed = Some((values, now));
                    break;
                }
            }
            let Some((values, now)) = passed else { break };
            (*given, refused) = (values, now);
        }
        refused.is_ok()
    }

    /// One row; refused by a check: its name.
    pub(super) async fn insert(
        &self,
        connection: &mut PgConnection,
        row: usize,
        given: &BTreeMap<&str, String>,
    ) -> Result<(), Option<String>> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        let is_given =
            |column: &&Column| !column.counted || given.contains_key(column.name.as_str());
        for column in self.columns.iter().filter(is_given) {
            let value = given
                .get(column.name.as_str())
                .cloned()
                .or_else(|| self.of_parent(column, row))
                .or_else(|| column.plain(row));
            if let Some(value) = value {
                names.push(ident(&column.name));
                values.push(value);
            }
        }
        let sql = if names.is_empty() {
            format!("INSERT INTO {} DEFAULT VALUES", ident(&self.name))
        } else {
            format!(
                "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                ident(&self.name),
                names.join(", "),
                values.join(", ")
            )
        };
        let mut transaction = connection.begin().await.unwrap();
        match sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *transaction)
            .await
        {
            Ok(_) => {
                transaction.commit().await.unwrap();
                Ok(())
            }
            Err(error) => Err(error
                .as_database_error()
                .and_then(|error| error.constraint())
                .map(str::to_owned)),
        }
    }

    /// The value of a column that references another table, out of one of its rows.
    fn of_parent(&self, column: &Column, row: usize) -> Option<String> {
        let of = |key: &&Key| key.columns.contains(&column.name);
        let key = self.keys.iter().find(of)?;
        if key.parent == self.name {
            return column.nullable.then(|| "NULL".to_owned());
        }
        let at = key.columns.iter().position(|name| *name == column.name)?;
        let (parent, referenced) = (ident(&key.parent), ident(&key.referenced[at]));
        Some(format!(
            "(SELECT {referenced} FROM {parent} ORDER BY ctid OFFSET {row} % (SELECT greatest(count(*), 1) FROM {parent}) LIMIT 1)"
        ))
    }
}

pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
