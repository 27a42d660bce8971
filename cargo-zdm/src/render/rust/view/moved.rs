//! The statements of a table whose columns come out of another one, new or there before, and the side that they take.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_runtime::Writes;

use super::writes::{DualWrite, INSERTS, UPDATES, UPSERTS, dual_write, setter};
use crate::render::rust::RenderError;
use crate::render::rust::merged::WithPart;
use crate::render::rust::moved::ThroughMain;
use crate::render::rust::statements::Statements;

/// Where the columns come from, and the reads that ask it as well.
#[derive(Debug, Serialize)]
pub(super) struct MovedView {
    other: String,
    reads: Vec<MovedRead>,
    /// Where the table was there before: what a row from before gets ahead of a write.
    fill: Option<String>,
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

/// Of a table that is new, or of one that was there before.
pub(super) fn view(
    through: Option<&ThroughMain<'_>>,
    with: Option<&WithPart<'_>>,
    by_array: bool,
) -> Result<Option<MovedView>, RenderError> {
    let split = through.map(|through| split(through, by_array));
    split
        .or_else(|| with.map(|with| merged(with, by_array)))
        .transpose()
}

fn split(through: &ThroughMain<'_>, by_array: bool) -> Result<MovedView, RenderError> {
    let both = Reads {
        get: through.get()?,
        get_many: by_array.then(|| through.get_many()).transpose()?,
        list_first: through.list_first()?,
        list_after: through.list_after()?,
    };
    Ok(MovedView {
        other: through.what.main.clone(),
        reads: both.beside(Reads::of(through.part(), by_array)?),
        fill: None,
    })
}

fn merged(with: &WithPart<'_>, by_array: bool) -> Result<MovedView, RenderError> {
    let main = with.main();
    let both = Reads {
        get: with.get()?,
        get_many: by_array.then(|| with.get_many()).transpose()?,
        list_first: with.list_first()?,
        list_after: with.list_after()?,
    };
    Ok(MovedView {
        other: with.what.part.clone(),
        reads: both.beside(Reads::of(main, by_array)?),
        fill: Some(with.fill()),
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

/// The statements that read.
struct Reads {
    get: String,
    get_many: Option<String>,
    list_first: String,
    list_after: String,
}

impl Reads {
    /// Those of a table alone.
    fn of(table: &Statements<'_>, by_array: bool) -> Result<Self, RenderError> {
        Ok(Self {
            get: table.get()?,
            get_many: by_array.then(|| table.get_many()).transpose()?,
            list_first: table.list_first()?,
            list_after: table.list_after()?,
        })
    }

    /// These, of both tables, with those of the one that has the columns in the end.
    fn beside(self, new: Self) -> Vec<MovedRead> {
        let many = self.get_many.zip(new.get_many);
        let reads = [
            Some(("get", "One row by its key.", self.get, new.get)),
            many.map(|(both, new)| ("get_many", "Rows by their keys.", both, new)),
            Some((
                "list_first",
                "The first rows in the order of the key.",
                self.list_first,
                new.list_first,
            )),
            Some((
                "list_after",
                "The rows after a key, in its order.",
                self.list_after,
                new.list_after,
            )),
        ];
        let reads = reads.into_iter().flatten();
        reads
            .map(|(function, reads, both, new)| MovedRead::of(function, reads, both, new))
            .collect()
    }
}
