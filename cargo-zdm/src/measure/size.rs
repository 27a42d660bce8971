//! Whether tables can be written anew at once: how large they are, as far as it matters whether they are small, and whether the
//! columns that come can be computed for their rows. It only reads.

use std::time::Duration;

use serde::Serialize;
use zdm_runtime::database::{Connection, Value};
use zdm_runtime::manifest::SmallTable;

use super::ask::reason;
use crate::dialect::{Dialect, DialectError};
use crate::plan::Computed;

/// Rows that a policy hides from the role would count as absent; without it they are an error.
const UNHIDDEN: &str = "SET LOCAL row_security = off;";

#[derive(Serialize)]
struct View<'a> {
    table: &'a str,
    rows: u64,
}

/// Fills in what each table holds, rows up to one beyond the limit; or says why that could not be told.
pub(crate) async fn sizes(
    connection: &mut Connection,
    tables: &[SmallTable],
    dialect: &Dialect,
    deadline: Duration,
) -> Result<Vec<Result<SmallTable, String>>, DialectError> {
    let mut sizes = Vec::new();
    for limits in tables {
        let table = limits.table.as_str();
        let view = View {
            table,
            rows: limits.most_rows.saturating_add(1),
        };
        let sql = dialect.render("measure/size", view)?;
        let asked = connection
            .query_only(UNHIDDEN, &sql, &[table.into()], deadline)
            .await;
        sizes.push(match asked {
            Err(error) => Err(reason(&error, deadline)),
            Ok(rows) => match rows.first().map(Vec::as_slice) {
                Some([Value::Int(Some(rows)), Value::Int(Some(bytes))]) => Ok(SmallTable {
                    rows: rows.unsigned_abs(),
                    bytes: bytes.unsigned_abs(),
                    ..limits.clone()
                }),
                _ => Err(format!("the answer has an unexpected shape: {rows:?}")),
            },
        });
    }
    Ok(sizes)
}

#[derive(Serialize)]
struct ComputedView<'a> {
    table: &'a str,
    expression: &'a str,
}

/// Computes each column for the rows that are there; what stands in its way.
pub(crate) async fn incomputable(
    connection: &mut Connection,
    columns: &[Computed],
    dialect: &Dialect,
    deadline: Duration,
) -> Result<Vec<String>, DialectError> {
    let mut found = Vec::new();
    for computed in columns {
        let (table, expression) = (computed.table.as_str(), computed.expression.as_str());
        let view = ComputedView { table, expression };
        let sql = dialect.render("measure/computed", view)?;
        let asked = connection.query_only(UNHIDDEN, &sql, &[], deadline).await;
        let problem = match asked {
            Err(error) => format!("`{expression}`: {}", reason(&error, deadline)),
            Ok(rows) => match rows.first().map(Vec::as_slice) {
                Some([Value::Int(Some(nulls))]) if computed.nullable || *nulls == 0 => continue,
                Some([Value::Int(Some(nulls))]) => {
                    format!(
                        "`{expression}` gives NULL for {nulls} of the rows, and the field is no `Option`"
                    )
                }
                _ => format!("the answer has an unexpected shape: {rows:?}"),
            },
        };
        found.push(format!(
            "{}: {table}.{}: {problem}",
            computed.source, computed.column
        ));
    }
    Ok(found)
}
