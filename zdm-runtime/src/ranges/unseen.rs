//! Keys that do not survive as text, told from rows that somebody has deleted meanwhile.

use crate::database::DatabaseError;
use crate::key::Key;

/// Keys that were read and whose rows were not found by them. One whose row was deleted in between is not read again;
/// one that does not survive as text is.
#[derive(Default)]
pub(super) struct Unseen {
    key: Option<Key>,
    times: u32,
}

impl Unseen {
    /// So often in a row that no writer can have deleted and inserted the same key each time.
    const ENOUGH: u32 = 5;

    pub(super) fn again(&mut self, key: Key, table: &str) -> Result<(), DatabaseError> {
        self.times = if self.key.as_ref() == Some(&key) {
            self.times + 1
        } else {
            1
        };
        if self.times >= Self::ENOUGH {
            return Err(DatabaseError::InexactKey {
                table: table.to_owned(),
                key: key.to_string(),
            });
        }
        self.key = Some(key);
        Ok(())
    }
}
