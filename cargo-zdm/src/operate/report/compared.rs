//! The last full comparison of a migration's rows.

use std::fmt::Write as _;

use serde::Serialize;
use zdm_runtime::verification;

use crate::error::Failure;
use crate::operate::checksums;
use crate::operate::session::Session;

#[derive(Debug, Serialize)]
pub(super) struct Compared {
    side: String,
    finished_at: i64,
    rows: i64,
    mismatches: i64,
    skipped: i64,
    checksums: Option<serde_json::Value>,
    #[serde(skip)]
    told: Option<String>,
}

/// It tells what is on record, whether it still counts is what gates say.
pub(super) async fn last(session: &mut Session, place: usize) -> Result<Option<Compared>, Failure> {
    let id = session.manifest(place).id.clone();
    let last = verification::last(&mut session.connection, &id).await?;
    Ok(last.map(|ended| Compared {
        side: ended.side,
        finished_at: ended.finished_at,
        rows: ended.rows,
        mismatches: ended.mismatches,
        skipped: ended.skipped,
        checksums: ended.checksums.as_ref().map(checksums::object),
        told: ended.checksums.as_ref().map(checksums::line),
    }))
}

impl Compared {
    pub(super) fn line(&self) -> String {
        let mut line = format!(
            "  last verification of {}: {} rows, {} differ, {} in quarantine",
            self.side, self.rows, self.mismatches, self.skipped
        );
        if let Some(sums) = &self.told {
            let _ = write!(line, "; {sums}");
        }
        line.push('\n');
        line
    }
}
