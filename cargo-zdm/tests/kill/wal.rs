//! `SQLite`'s write-ahead log as a row of moments: what a process wrote until it was killed is a prefix of it.
//!
//! The format: `SQLite`'s manual, "Database File Format", "The Write-Ahead Log".

use crate::enumerate::Moment;

/// Before the first frame.
const HEADER: usize = 32;
/// Before each frame's page.
const FRAME_HEADER: usize = 24;

/// Where the log can have ended: after each commit, and inside each transaction, after its last frame but one and in the
/// middle of a page.
pub(crate) fn moments(log: &[u8]) -> Vec<Moment> {
    let moment = |at, inside| Moment {
        at,
        before: format!("byte {at} of the log"),
        inside,
    };
    let mut moments = vec![moment(0, false)];
    if log.len() < HEADER {
        return moments;
    }
    let frame = FRAME_HEADER + number(log, 8);
    let mut at = HEADER;
    while at + frame <= log.len() {
        // The size of the database after a commit; zero in every other frame.
        if number(log, at + 4) > 0 {
            moments.extend([
                moment(at, true),
                moment(at + frame / 2, true),
                moment(at + frame, false),
            ]);
        }
        at += frame;
    }
    assert_eq!(at, log.len(), "the log has no half frame");
    moments
}

fn number(log: &[u8], at: usize) -> usize {
    let bytes = log[at..at + 4].try_into().unwrap();
    u32::from_be_bytes(bytes) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_two_transactions() {
        let mut log = vec![0; HEADER];
        log[8..12].copy_from_slice(&512_u32.to_be_bytes());
        for size in [0_u32, 2, 3] {
            let mut frame = vec![0; FRAME_HEADER + 512];
            frame[4..8].copy_from_slice(&size.to_be_bytes());
            log.extend(frame);
        }
        let found = moments(&log);
        assert_eq!(found.len(), 7);
        let commits: Vec<_> = found.iter().filter(|moment| !moment.inside).collect();
        let at: Vec<_> = commits.iter().map(|commit| commit.at).collect();
        assert_eq!(at, [0, HEADER + 2 * 536, HEADER + 3 * 536]);
    }
}
