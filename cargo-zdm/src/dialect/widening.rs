//! Types that take every value of another one, stored as it is.
//!
//! Comes in: two types in a dialect's words. Must not know: columns.

/// Whether a column of the first type becomes one of the second without a look at its rows: a longer text, a number of more digits
/// before the point.
pub(crate) fn widens(old: &str, new: &str) -> bool {
    widens_text(old, new) || widens_number(old, new)
}

/// `varchar(50)` fits into `varchar(255)` and `text`.
pub(crate) fn widens_text(old: &str, new: &str) -> bool {
    match (text_length(old), text_length(new)) {
        (Some(old), Some(new)) => new >= old,
        _ => false,
    }
}

fn text_length(sql_type: &str) -> Option<u64> {
    let name = sql_type.trim().to_ascii_lowercase();
    if name == "text" || name == "varchar" || name == "character varying" {
        return Some(u64::MAX);
    }
    let length = name
        .strip_prefix("varchar")
        .or_else(|| name.strip_prefix("character varying"))?;
    within(length)?.parse().ok()
}

/// `numeric(10, 2)` fits into `numeric(12, 2)` and `numeric`; another scale writes every value anew.
fn widens_number(old: &str, new: &str) -> bool {
    let is_unbounded = |sql_type: &str| sql_type.trim().eq_ignore_ascii_case("numeric");
    match (digits(old), digits(new)) {
        (Some(_), None) => is_unbounded(new),
        (Some((old, old_scale)), Some((new, new_scale))) => new >= old && new_scale == old_scale,
        _ => false,
    }
}

/// Precision and scale of a `numeric` with bounds.
fn digits(sql_type: &str) -> Option<(u64, i64)> {
    let name = sql_type.trim().to_ascii_lowercase();
    let bounds = within(name.strip_prefix("numeric")?)?;
    let (precision, scale) = bounds.split_once(',').unwrap_or((bounds, "0"));
    Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?))
}

fn within(bounds: &str) -> Option<&str> {
    let inside = bounds.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some(inside.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_widens_into_longer_text_only() {
        assert!(widens_text("varchar(50)", "text"));
        assert!(widens_text("VARCHAR(50)", "character varying(50)"));
        assert!(!widens_text("text", "varchar(255)"));
        assert!(!widens_text("char(3)", "text"));
    }

    #[test]
    fn numbers_widen_before_the_point_only() {
        assert!(widens("numeric(10, 2)", "numeric(12,2)"));
        assert!(widens("NUMERIC(10,2)", "numeric"));
        assert!(widens("numeric(10)", "numeric(11, 0)"));
        assert!(!widens("numeric(10,2)", "numeric(12,4)"));
        assert!(!widens("numeric(10,2)", "numeric(9,2)"));
        assert!(!widens("numeric", "numeric(9,2)"));
        assert!(!widens("numeric(10,2)", "text"));
    }
}
