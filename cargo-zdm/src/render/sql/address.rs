//! The statements for rows that are reached by where they stand.

use zdm_runtime::manifest::Address;

use super::backfill::View;
use super::writer::Writer;
use crate::dialect::{Addresses, DialectError};

const STEP: &str = "Backfill: where about $3 rows end, from $1 on, at most at $2.";
const LEFT: &str = "Backfill: how many rows of the table do not agree, in one look, for rows move while batches go by.";

pub(super) fn render(
    writer: &mut Writer<'_>,
    addresses: &Addresses,
    view: &View,
    reverse: Option<&View>,
) -> Result<Address, DialectError> {
    let step = if addresses.in_blocks {
        Some(writer.write("step", STEP, "step", view)?)
    } else {
        None
    };
    let left_back = reverse.map(|reverse| writer.write("left_back", LEFT, "left", reverse));
    Ok(Address {
        first: addresses.first.clone(),
        last: addresses.last.clone(),
        step,
        left_back: left_back.transpose()?,
        left: writer.write("left", LEFT, "left", view)?,
    })
}
