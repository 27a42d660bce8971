//! How many new rows are stored at once.
//!
//! Must not know: how a single row is written.

use serde::Serialize;
use zdm_model::{Column, LogicalType};

use crate::render::rust::names::{self, RustType};
use crate::render::rust::statements::{Rows, Statements};
use crate::render::rust::templates::hashes;
use crate::render::rust::words;

/// More rows make a statement no faster, only longer.
const MOST_ROWS: usize = 1_000;
/// The parameters of a statement that SQLite takes (manual, "Limits In SQLite"); PostgreSQL takes twice as many. One is the epoch.
const MOST_VALUES: usize = 32_766 - 1;

/// How the repository stores many rows.
#[derive(Debug, Serialize)]
pub(super) struct Bulk {
    /// `arrays` and `values` by one statement, `each` by one per row.
    by: &'static str,
    /// The values of each column.
    columns: Vec<Values>,
    /// So many rows go into one statement by `values`.
    most: usize,
    /// What stands before the rows there, and what a raw string of it needs.
    head: Option<String>,
    hashes: String,
}

impl Bulk {
    /// Statements are put together.
    pub(super) fn builds(&self) -> bool {
        self.head.is_some()
    }
}

/// The values of one column.
#[derive(Debug, Serialize)]
struct Values {
    variable: String,
    /// That of a row as an array holds it.
    element: String,
    /// The same where it is bound by itself.
    bind: String,
    array_type: String,
}

/// The way for a table.
pub(super) fn bulk<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
    bind: &dyn Fn(&Column) -> String,
) -> Bulk {
    let rows = rows(statements, rust);
    let columns: Vec<_> = statements.inserted_columns().collect();
    let head = (rows == Some(Rows::Values)).then(|| statements.values_head());
    Bulk {
        by: match rows {
            Some(Rows::Arrays) => "arrays",
            Some(Rows::Values) => "values",
            None => "each",
        },
        most: MOST_ROWS.min(MOST_VALUES / columns.len().max(1)),
        hashes: head.as_deref().map(hashes).unwrap_or_default(),
        head,
        columns: columns
            .into_iter()
            .map(|column| Values {
                variable: names::argument(&column.field),
                element: element(column, rust(column)),
                bind: bind(column),
                array_type: rust(column).array_type(column.nullable),
            })
            .collect(),
    }
}

/// `None` where each row is stored by itself: what it demands of old values, or locks of another table, is asked row by row.
pub(super) fn rows<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Option<Rows> {
    let sides = &statements.sides;
    let mut columns = statements.inserted_columns().peekable();
    let first = columns.peek();
    // A client whose values do not tell their type has no builder of statements here.
    let builds = first.is_some_and(|column| rust(column).sql_type(false).is_empty());
    if first.is_none() || statements.moves() || sides.given().next().is_some() {
        return None;
    }
    // sqlx has an array of each type that it knows, and we of each enum; of others nobody can say, and there is none of arrays.
    let has_array = |column: &Column| {
        let known = rust(column).known || column.logical_type == LogicalType::Enum;
        let is_array = sides.words.encoded_type(column).ends_with("[]");
        known && !is_array && words::cast(column).is_none()
    };
    if sides.words.typed && columns.all(has_array) {
        Some(Rows::Arrays)
    } else {
        builds.then_some(Rows::Values)
    }
}

fn element(column: &Column, rust: &RustType) -> String {
    let place = format!("row.{}", names::identifier(&column.field));
    match (rust.copies, column.nullable) {
        (true, _) => place,
        (false, true) => format!("{place}.as_ref()"),
        (false, false) => format!("&{place}"),
    }
}
