//! A table that is small enough to be written anew at once, and how it was found so.
//!
//! Must not know: any database.

use serde::{Deserialize, Serialize};

/// What a table held when the version was written, and what it may hold when a step writes it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallTable {
    /// The table, unquoted.
    pub table: String,
    /// Its rows then.
    pub rows: u64,
    /// Its bytes then, with its indexes.
    pub bytes: u64,
    /// So many rows it may hold when the step runs.
    pub most_rows: u64,
    /// So many bytes, with its indexes.
    pub most_bytes: u64,
}

impl SmallTable {
    /// Whether it was within its limits.
    pub fn is_small(&self) -> bool {
        self.rows <= self.most_rows && self.bytes <= self.most_bytes
    }

    /// `12 rows in 16 KiB`; rows are counted up to one beyond the limit, and not at all where the bytes are beyond theirs.
    pub fn held(&self) -> String {
        let bytes = shown_bytes(self.bytes);
        if self.bytes > self.most_bytes {
            bytes
        } else if self.rows > self.most_rows {
            format!("more than {} rows in {bytes}", self.most_rows)
        } else {
            format!("{} in {bytes}", shown_rows(self.rows))
        }
    }

    /// `at most 1000 rows in 8 MiB`
    pub fn limit(&self) -> String {
        let bytes = shown_bytes(self.most_bytes);
        format!("at most {} in {bytes}", shown_rows(self.most_rows))
    }
}

fn shown_rows(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }
}

/// Rounded up, so that what is beyond a limit never looks as if it were within.
fn shown_bytes(bytes: u64) -> String {
    let (mut amount, mut shown) = (bytes, "bytes");
    for unit in ["KiB", "MiB", "GiB"] {
        let is_whole = amount >= 1024 && amount % 1024 == 0;
        if amount < 10 * 1024 && !is_whole {
            break;
        }
        (amount, shown) = (amount.div_ceil(1024), unit);
    }
    format!("{amount} {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_units_that_people_read() {
        let shown = [0, 512, 8192, 8_388_608, 8_388_609, 10_500].map(shown_bytes);
        assert_eq!(
            shown,
            [
                "0 bytes",
                "512 bytes",
                "8 KiB",
                "8 MiB",
                "8193 KiB",
                "11 KiB"
            ]
        );
    }

    #[test]
    fn what_is_beyond_a_limit_is_not_small() {
        let table = |rows, bytes| SmallTable {
            table: "users".to_owned(),
            rows,
            bytes,
            most_rows: 10,
            most_bytes: 8192,
        };
        assert!(table(10, 8192).is_small());
        assert!(!table(11, 8192).is_small());
        assert!(!table(10, 8193).is_small());
        assert_eq!(table(11, 8192).held(), "more than 10 rows in 8 KiB");
        assert_eq!(table(0, 16_384).held(), "16 KiB");
        assert_eq!(table(1, 8192).held(), "1 row in 8 KiB");
        assert_eq!(table(1, 8192).limit(), "at most 10 rows in 8 KiB");
    }
}
