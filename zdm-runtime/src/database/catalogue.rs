//! What a database really has under a name, whatever is on record.
//!
//! Must not know: which names are meant to be there.

use std::fmt;

use super::{Connection, DatabaseError, Dialect, Value};
use crate::losses::quoted;

/// A table as SQL spells it, with its schema where its name has one: `"billing"."invoices"`.
pub fn relation(table: &str) -> String {
    let parts: Vec<String> = table.split('.').map(quoted).collect();
    parts.join(".")
}

/// A table as the questions below take it: PostgreSQL reads it as SQL spells it.
fn called(connection: &Connection, table: &str) -> Value {
    match connection.dialect() {
        Dialect::Postgres => relation(table).as_str().into(),
        Dialect::Sqlite => table.into(),
    }
}

/// The columns of a table; none where no such table is there.
pub async fn columns(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<String>, DatabaseError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT CAST(attname AS text) FROM pg_attribute
             WHERE attrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        }
        Dialect::Sqlite => "SELECT name FROM pragma_table_xinfo($1) ORDER BY cid",
    };
    let rows = connection.query(sql, &[called(connection, table)]).await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [Value::Text(Some(name))] => Ok(name.clone()),
            _ => Err(DatabaseError::unexpected("which columns a table has", &row)),
        })
        .collect()
}

/// The server's process of a connection to `PostgreSQL`, by which another can see or cancel what it does.
pub async fn backend_pid(connection: &mut Connection) -> Result<i64, DatabaseError> {
    let rows = connection
        .query("SELECT pg_catalog.pg_backend_pid()", &[])
        .await?;
    match rows.first().map(Vec::as_slice).unwrap_or_default() {
        [Value::Int(Some(pid))] => Ok(*pid),
        row => Err(DatabaseError::unexpected("which process answers", row)),
    }
}

/// The server's version as one number, `150004`; `None` where there is no server.
pub async fn server_version(connection: &mut Connection) -> Result<Option<i64>, DatabaseError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(None);
    }
    let sql = "SELECT CAST(pg_catalog.current_setting('server_version_num') AS bigint)";
    let rows = connection.query(sql, &[]).await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(version))]) => Ok(Some(*version)),
        other => Err(DatabaseError::unexpected(
            "the server's version",
            other.unwrap_or_default(),
        )),
    }
}

/// Whether a table of `PostgreSQL` has partitions, or children that inherit from it.
pub async fn is_of_parts(connection: &mut Connection, name: &str) -> Result<bool, DatabaseError> {
    let parts = connection
        .query(
            "SELECT 1 FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)
             AND (relkind = 'p' OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = pg_class.oid))",
            &[relation(name).into()],
        )
        .await?;
    Ok(!parts.is_empty())
}

/// What has a table's name and is none: `view`, `materialized view`, `foreign table`.
pub async fn instead_of_table(
    connection: &mut Connection,
    name: &str,
) -> Result<Option<String>, DatabaseError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' END
             FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)"
        }
        Dialect::Sqlite => {
            "SELECT 'view' FROM sqlite_schema WHERE type = 'view' AND name = $1 COLLATE NOCASE"
        }
    };
    let rows = connection.query(sql, &[called(connection, name)]).await?;
    match rows.first().map(Vec::as_slice) {
        None => Ok(None),
        Some([Value::Text(kind)]) => Ok(kind.clone()),
        Some(row) => Err(DatabaseError::unexpected("what has the name", row)),
    }
}

/// Whether a table holds a row.
pub async fn holds_rows(connection: &mut Connection, table: &str) -> Result<bool, DatabaseError> {
    let sql = format!("SELECT 1 FROM {} LIMIT 1", relation(table));
    Ok(!connection.query(&sql, &[]).await?.is_empty())
}

/// A foreign key of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table that has it.
    pub child: String,
    /// The same with its schema, where the database has any.
    pub place: String,
    /// The columns that hold it.
    pub columns: String,
    /// The table that it references.
    pub parent: String,
}

impl Reference {
    /// Whether one of these tables has it.
    pub fn is_of<T: AsRef<str>>(&self, tables: &[T]) -> bool {
        let mut tables = tables.iter().map(AsRef::as_ref);
        tables.any(|table| table == self.child || table == self.place)
    }

    /// References as a part of a sentence.
    pub(crate) fn listed(references: &[Self]) -> String {
        let references: Vec<String> = references.iter().map(ToString::to_string).collect();
        references.join(", ")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            child,
            columns,
            parent,
            ..
        } = self;
        write!(f, "{child} ({columns}) refers to {parent}")
    }
}

/// The foreign keys of other tables that reference a table, whoever has made them.
pub async fn references(
    connection: &mut Connection,
    parent: &str,
) -> Result<Vec<Reference>, DatabaseError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT CAST(CAST(conrelid AS regclass) AS text),
                (SELECT CAST(nspname AS text) || '.' || CAST(relname AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                 WHERE c.oid = conrelid),
                (SELECT pg_catalog.string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = conrelid AND attnum = ANY (conkey))
             FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND conrelid <> confrelid
             AND confrelid = CAST(pg_catalog.to_regclass($1) AS oid) ORDER BY 1, 3"
        }
        Dialect::Sqlite => {
            "SELECT child.name, child.name, group_concat(held.\"from\", ', ')
             FROM sqlite_schema AS child, pragma_foreign_key_list(child.name) AS held
             WHERE child.type = 'table' AND held.\"table\" = $1 COLLATE NOCASE AND child.name <> $1 COLLATE NOCASE
             GROUP BY child.name, held.id ORDER BY 1, 3"
        }
    };
    let rows = connection.query(sql, &[called(connection, parent)]).await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [
                Value::Text(Some(child)),
                Value::Text(Some(place)),
                Value::Text(Some(columns)),
            ] => Ok(Reference {
                child: child.clone(),
                place: place.clone(),
                columns: columns.clone(),
                parent: parent.to_owned(),
            }),
            _ => Err(DatabaseError::unexpected("who refers to a table", &row)),
        })
        .collect()
}

/// A column with what an insert gives it that does not name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnDefault {
    /// The column.
    pub(crate) column: String,
    /// Its type, as the database writes it.
    pub(crate) sql_type: String,
    /// The default.
    pub(crate) expression: Option<String>,
    /// What the default gave the rows that were there before the column, as text, where the database keeps it beside them
    /// (`PostgreSQL`'s manual, `pg_attribute`, `attmissingval`).
    pub(crate) of_older_rows: Option<String>,
    ignores_case: bool,
}

impl ColumnDefault {
    /// Whether a name means this column.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.column == name || (self.ignores_case && self.column.eq_ignore_ascii_case(name))
    }
}

/// The defaults of a table's columns; none where no such table is there.
pub(crate) async fn defaults(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<ColumnDefault>, DatabaseError> {
    let ignores_case = connection.dialect() == Dialect::Sqlite;
    let sql = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT CAST(attname AS text), pg_catalog.format_type(atttypid, atttypmod), pg_catalog.pg_get_expr(adbin, adrelid),
                (CAST(CAST(attmissingval AS text) AS text[]))[1]
             FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
             WHERE attrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        }
        Dialect::Sqlite => "SELECT name, type, dflt_value, NULL FROM pragma_table_xinfo($1) ORDER BY cid",
    };
    let rows = connection.query(sql, &[called(connection, table)]).await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [
                Value::Text(Some(column)),
                Value::Text(Some(sql_type)),
                Value::Text(expression),
                of_older_rows,
            ] => Ok(ColumnDefault {
                column: column.clone(),
                sql_type: sql_type.clone(),
                expression: expression.clone(),
                of_older_rows: match of_older_rows {
                    Value::Text(value) => value.clone(),
                    Value::Int(_) => None,
                },
                ignores_case,
            }),
            _ => Err(DatabaseError::unexpected(
                "which defaults a table has",
                &row,
            )),
        })
        .collect()
}
