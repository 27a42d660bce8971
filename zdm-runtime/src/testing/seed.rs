//! The rows that are there before a migration, as old code has written them.
//!
//! Comes in: tables, as the generated test describes them. Goes out: rows, each unlike the others where it may be.
//! Must not know: who reads them.

use super::TestError;
use super::pair::{Column, Pair};
use super::values;
use crate::database::{Connection, DatabaseError, catalogue};
use crate::losses::quoted;

/// So many rows a table has.
const ROWS: usize = 24;

/// What is written of a table before the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Unquoted.
    pub name: &'static str,
    /// What an insert gives, old columns apart.
    pub columns: &'static [Given],
    /// The migration's pairs of this table.
    pub pairs: &'static [&'static Pair],
}

/// What an insert gives a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A value of its own in every row.
    Own(Column),
    /// What the column of another table has, in the row of the same place.
    Of {
        /// The column.
        column: &'static str,
        /// The other table.
        table: &'static str,
        /// The column there.
        key: &'static str,
    },
}

/// Rows of a table; `pairs` holds for each pair what its old columns may hold so that it comes back.
pub(super) async fn fill(
    connection: &mut Connection,
    table: &Table,
    pairs: &[Vec<Vec<String>>],
) -> Result<(), TestError> {
    let dialect = connection.dialect();
    for row in 0..ROWS {
        let (mut names, mut literals) = (Vec::new(), Vec::new());
        for given in table.columns {
            match given {
                Given::Own(column) => {
                    names.push(quoted(column.name));
                    literals.push(values::nth(column.values, row, dialect));
                }
                Given::Of { column, table, key } => {
                    names.push(quoted(column));
                    let (key, table) = (quoted(key), catalogue::relation(table));
                    literals.push(format!(
                        "(SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row})"
                    ));
                }
            }
        }
        for (pair, known) in table.pairs.iter().zip(pairs) {
            names.extend(pair.old.iter().map(|column| quoted(column.name)));
            literals.extend(known[row % known.len()].iter().cloned());
        }
        let insert = if names.is_empty() {
            format!(
                "INSERT INTO {} DEFAULT VALUES",
                catalogue::relation(table.name)
            )
        } else {
            format!(
                "INSERT INTO {} ({}) VALUES ({})",
                catalogue::relation(table.name),
                names.join(", "),
                literals.join(", ")
            )
        };
        let inserted = connection.run_file(&insert).await;
        // Where no two rows may hold the same, there are as many as there are values.
        let again = pairs.iter().any(|known| row >= known.len());
        if again && matches!(inserted, Err(DatabaseError::Data(_))) {
            return Ok(());
        }
        inserted.map_err(|error| {
            TestError::Unprepared(format!(
                "the table {} takes no row that the test makes up: {error}\n\n    {insert}\n\nSuch a table can be rehearsed \
                 (`cargo zdm rehearse`), which looks for rows that its constraints allow",
                table.name
            ))
        })?;
    }
    Ok(())
}
