//! What is told of old that is kept after contract: until when, what is maintained, how far it is dropped already.
//!
//! Comes in: a position, the manifest. Goes out: fields of `status`, and its lines.
//! Must not know: the database.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use zdm_runtime::facts::Steps;
use zdm_runtime::manifest::Manifest;

use super::status::Begun;
use crate::operate::position::Position;

#[derive(Debug, Default, Serialize)]
pub(super) struct Kept {
    /// Its name, for commands.
    #[serde(skip)]
    name: String,
    /// What a rollback does.
    #[serde(skip)]
    gives: &'static str,
    /// Until when old is kept under another name, and contract can be taken back.
    #[serde(rename = "kept_until", skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// The columns that are kept as they were, because nothing maintains them.
    #[serde(rename = "kept_as_they_were", skip_serializing_if = "Vec::is_empty")]
    as_they_were: Vec<String>,
    /// A way back that has not ended: what it has left in effect of the steps by which old is kept.
    #[serde(rename = "bring_back", skip_serializing_if = "Option::is_none")]
    brought_back: Option<Begun>,
    /// The drop of what was kept, where it was interrupted.
    #[serde(rename = "drop_kept", skip_serializing_if = "Option::is_none")]
    dropped: Option<Begun>,
}

impl Kept {
    pub(super) fn of(position: Position, manifest: &Manifest, keeping: Steps) -> Self {
        let mut kept = Self {
            name: manifest.name.clone(),
            gives: brings_back(manifest),
            ..Self::default()
        };
        match position {
            Position::Kept(until) => {
                kept.until = Some(shown_time(until));
                let (steps_done, steps) = (keeping.done - keeping.half, keeping.planned);
                kept.brought_back = (steps_done < steps).then_some(Begun { steps_done, steps });
                let keep = manifest.keep.iter();
                kept.as_they_were = keep.flat_map(|keep| keep.left.keys().cloned()).collect();
            }
            Position::Dropping(steps_done, steps) => {
                kept.dropped = Some(Begun { steps_done, steps });
            }
            _ => {}
        }
        kept
    }

    /// Some of it has its own name again already.
    pub(super) fn is_brought_back(&self) -> bool {
        self.brought_back.is_some()
    }

    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        if let Some(Begun { steps_done, steps }) = self.brought_back {
            let _ = writeln!(
                text,
                "  a way back from contract has begun: {steps_done} of {steps} steps of 5_contract/2_keep are in effect still; `cargo zdm \
                 rollback {}` goes on",
                self.name
            );
        } else if let Some(until) = &self.until {
            let _ = writeln!(
                text,
                "  old is kept under another name until {until}: `cargo zdm rollback {}` {}",
                self.name, self.gives
            );
        }
        for column in &self.as_they_were {
            let _ = writeln!(
                text,
                "  {column} is kept as it was at contract: nothing maintains it"
            );
        }
        if let Some(Begun { steps_done, steps }) = self.dropped {
            let _ = writeln!(
                text,
                "  the drop of what was kept: {steps_done} of {steps} steps done; `cargo zdm contract {}` goes on",
                self.name
            );
        }
        text
    }
}

/// What a rollback does for what is kept: one-way pairs come back as writes left them, and nothing leads on from there.
pub(crate) fn brings_back(manifest: &Manifest) -> &'static str {
    if manifest.leads_back() {
        "brings it back"
    } else {
        "gives it its name back, at `complete`, and leads no further"
    }
}

/// Milliseconds since 1970 as a time of the day, in UTC.
fn shown_time(milliseconds: i64) -> String {
    let since = Duration::from_millis(milliseconds.unsigned_abs());
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}
