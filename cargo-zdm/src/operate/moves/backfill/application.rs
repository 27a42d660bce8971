//! What only the application can fill: its own binary has the function.
//!
//! Comes in: a ledger that has been cut. Goes out: nothing where it is done, else what to run.
//! Must not know: how the application is run.

use zdm_runtime::backfill::{self, Way};
use zdm_runtime::manifest::{Backfill, ComputedColumn};

use crate::error::Failure;
use crate::operate::session::Session;

/// Whether every row is filled that a function of the application fills.
pub(super) async fn is_done(session: &mut Session, place: usize) -> Result<(), Failure> {
    let manifest = session.manifest(place).clone();
    let mut left = Vec::new();
    for table in &manifest.backfills {
        let Some(computed) = &table.computed else {
            continue;
        };
        let id = &manifest.id;
        if backfill::is_left(&mut session.connection, id, &table.table, Way::Up).await? {
            left.push((table, computed));
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = left.iter().map(|found| described(*found)).collect();
    let lines = left.iter();
    let lines: Vec<_> = lines
        .map(|(_, computed)| call(&manifest.folder(), computed))
        .collect();
    Err(Failure::gate(
        format!(
            "{}: {}; the table is cut into chunks, which wait for it",
            manifest.folder(),
            told.join("; ")
        ),
        format!(
            "let the application run `{}` against this database, as one more program or task of the release that is deployed, then run \
             the same command again: `cargo zdm status` shows how far it is",
            lines.join("`, `")
        ),
    )
    .safe("reads compute what is not filled yet, and nothing waits for it"))
}

fn described((table, computed): (&Backfill, &ComputedColumn)) -> String {
    format!(
        "{} of {} is computed by {}, which only the application has",
        table.columns.join(", "),
        table.table,
        computed.function
    )
}

/// The line of Rust, from the module of generated code on.
fn call(folder: &str, computed: &ComputedColumn) -> String {
    let below = computed.module.as_ref();
    let below = below
        .map(|module| format!("::{module}"))
        .unwrap_or_default();
    format!(
        "zdm::m{folder}{below}::backfill::backfill(&pool, &zdm_runtime::computed::Options::of(\"backfill\")).await"
    )
}
