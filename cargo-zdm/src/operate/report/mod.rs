//! What commands only look at: the standing of migrations, and the log of what was done.

pub(crate) mod audit;
mod compared;
pub(crate) mod pace;
pub(crate) mod status;

use zdm_runtime::caught::Caught;

/// What triggers have completed, table by table.
pub(crate) fn caught_lines(caught: &[Caught]) -> impl Iterator<Item = String> {
    caught.iter().map(|caught| {
        let Caught { table, writes, fires } = caught;
        let asleep = if *fires {
            ""
        } else {
            ", which does not fire any more: somebody has dropped or disabled it (`ENABLE ALWAYS TRIGGER` wakes it)"
        };
        format!("  written to one side of {table} alone, and completed by its trigger: {writes}{asleep}\n")
    })
}
