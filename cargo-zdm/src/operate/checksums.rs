//! The checksums of a verification, as they are told.
//!
//! Must not know: how they are made.

use std::fmt::Write as _;

use zdm_runtime::checksum::Checksums;

/// For people.
pub(crate) fn line(sums: &Checksums) -> String {
    let mut line = if sums.are_equal() {
        format!("checksum of old and new: {}", sums.new)
    } else {
        format!("checksums: old {}, new {}", sums.old, sums.new)
    };
    if sums.by_down > 0 {
        let _ = write!(
            line,
            "; {} rows agree although new is not what `up` makes of old",
            sums.by_down
        );
    }
    line
}

/// For programs.
pub(crate) fn object(sums: &Checksums) -> serde_json::Value {
    serde_json::json!({
        "old": sums.old.to_string(), "new": sums.new.to_string(), "by_down": sums.by_down,
    })
}

#[cfg(test)]
mod tests {
    use zdm_runtime::checksum::Checksum;

    use super::*;

    #[test]
    fn what_differs_is_told_with_the_reason() {
        let mut sums = Checksums::default();
        assert_eq!(line(&sums), "checksum of old and new: 0000000000000000");
        sums.new = Checksum(255);
        sums.by_down = 3;
        assert_eq!(
            line(&sums),
            "checksums: old 0000000000000000, new 00000000000000ff; 3 rows agree although new is not what `up` makes of old"
        );
        assert_eq!(object(&sums)["by_down"], 3);
    }
}
