//! The statements of a table whose columns come out of another one, and the side that they take.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_runtime::Writes;

use super::writes::{DualWrite, INSERTS, UPDATES, UPSERTS, dual_write, setter};
use crate::render::rust::RenderError;
use crate::render::rust::moved::ThroughMain;

/// Where the columns come from, and the reads by way of it.
#[derive(Debug, Serialize)]
pub(super) struct MovedView {
    main: String,
    reads: Vec<MovedRead>,
}

/// A read of a table whose columns come out of another one.
#[derive(Debug, Serialize)]
struct MovedRead {
    function: &'static str,
    constant: String,
    reads: &'static str,
    both: String,
    new: String,
}

impl MovedRead {
    fn of(function: &'static str, reads: &'static str, both: String, new: String) -> Self {
        Self {
            function,
            constant: function.to_uppercase(),
            reads,
            both,
            new,
        }
    }
}

pub(super) fn view(through: &ThroughMain<'_>, by_array: bool) -> Result<MovedView, RenderError> {
    Ok(MovedView {
        main: through.what.main.clone(),
        reads: reads(through, by_array)?,
    })
}

/// What stands outside the modules of the migration.
pub(super) fn sql(
    through: &ThroughMain<'_>,
) -> Result<BTreeMap<&'static str, Option<String>>, RenderError> {
    let part = through.part();
    Ok(BTreeMap::from([
        (
            "fence",
            Some(part.sides.words.fence(&part.sides.table.name)),
        ),
        ("update", part.update(Writes::New)?),
        ("pending", Some(through.pending())),
    ]))
}

/// The writes of a table whose columns come out of another one.
pub(super) fn dual_writes(through: &ThroughMain<'_>) -> Result<Vec<DualWrite>, RenderError> {
    let mut writes = vec![
        dual_write("insert", INSERTS, |side| through.insert(side))?,
        dual_write("upsert", UPSERTS, |side| through.upsert(side))?,
        dual_write("update", UPDATES, |side| through.update(side))?,
        dual_write("delete", "Deletes a row.", |side| through.delete(side))?,
    ];
    for (_, column) in &through.what.columns {
        writes.push(setter(column, |side| through.set(side, column))?);
    }
    Ok(writes)
}

/// The reads of such a table by way of the other one, and those of the table alone.
fn reads(through: &ThroughMain<'_>, by_array: bool) -> Result<Vec<MovedRead>, RenderError> {
    let part = through.part();
    let mut reads = vec![
        MovedRead::of("get", "One row by its key.", through.get()?, part.get()?),
        MovedRead::of(
            "list_first",
            "The first rows in the order of the key.",
            through.list_first()?,
            part.list_first()?,
        ),
        MovedRead::of(
            "list_after",
            "The rows after a key, in its order.",
            through.list_after()?,
            part.list_after()?,
        ),
    ];
    if by_array {
        let (both, new) = (through.get_many()?, part.get_many()?);
        reads.insert(
            1,
            MovedRead::of("get_many", "Rows by their keys.", both, new),
        );
    }
    Ok(reads)
}
