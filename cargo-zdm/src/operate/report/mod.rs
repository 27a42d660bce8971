//! What commands only look at: the standing of migrations, and the log of what was done.

pub(crate) mod audit;
mod compared;
pub(crate) mod kept;
mod metrics;
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
            ", which does not fire any more for everybody: somebody has disabled or dropped it, and the end of the version's \
             2_dual_write/up.sql brings it back; verify afterwards"
        };
        format!("  written to one side of {table} alone, and completed by its trigger: {writes}{asleep}\n")
    })
}
