//! Checksums of the two sides of a table: sums of one hash per row, so that the order of the rows and the bounds of ranges do not
//! matter.
//!
//! Comes in: the answer of a version's `checksums.sql`. Goes out: [`Checksums`]. Must not know: ranges, records.

use std::fmt;

use crate::database::{DatabaseError, Value};

/// What the rows hold on either side. Old counts as what `up` makes of it, so that the two are equal where every row has on new
/// what `up` makes of old.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checksums {
    /// Of each key and what `up` makes of its old values.
    pub old: Checksum,
    /// Of each key and its new values.
    pub new: Checksum,
    /// Rows that agree although new is not what `up` makes of old: `down` gives old back, or the two are equal and written otherwise.
    pub by_down: u64,
}

/// A sum of hashes of 64 bits, modulo 2^64; as text, 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checksum(pub u64);

impl Checksum {
    /// Out of its text.
    pub fn of_text(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(Self)
    }

    /// Out of a sum that a database has made, which counts beyond 64 bits.
    fn of_sum(sum: &str) -> Option<Self> {
        let modulus = i128::from(u64::MAX) + 1;
        let sum: i128 = sum.parse().ok()?;
        u64::try_from(sum.rem_euclid(modulus)).ok().map(Self)
    }

    fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Checksums {
    /// Both sides hold the same, as far as a sum can tell.
    pub fn are_equal(&self) -> bool {
        self.old == self.new
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.old.add(other.old);
        self.new.add(other.new);
        self.by_down += other.by_down;
    }

    /// What stands behind the counts in the answer for a range: a sum per side where the database makes them, or the rows themselves.
    pub fn read(table: &str, by_down: u64, answer: &[Value]) -> Result<Self, DatabaseError> {
        let odd = || DatabaseError::unexpected("what the sides of a range count as", answer);
        let (old, new) = match answer {
            // Over no rows.
            [Value::Text(None)] | [Value::Text(None), Value::Text(None)] => Default::default(),
            [Value::Text(Some(rows))] => of_rows(table, rows).ok_or_else(odd)?,
            [Value::Text(Some(old)), Value::Text(Some(new))] => Checksum::of_sum(old)
                .zip(Checksum::of_sum(new))
                .ok_or_else(odd)?,
            _ => return Err(odd()),
        };
        Ok(Self { old, new, by_down })
    }
}

/// `key:new` per row, and `:old` behind it where that is another; between rows a semicolon. No value has
/// any of these in it, because texts and bytes are hexadecimal.
fn of_rows(table: &str, rows: &str) -> Option<(Checksum, Checksum)> {
    let (mut of_old, mut of_new) = (Checksum::default(), Checksum::default());
    for row in rows.split(';') {
        let mut parts = row.split(':');
        let (key, new) = (parts.next()?, parts.next()?);
        let hash_of_new = hash(table, key, new);
        of_new.add(hash_of_new);
        of_old.add(match parts.next() {
            None => hash_of_new,
            Some(old) => hash(table, key, old),
        });
        if parts.next().is_some() {
            return None;
        }
    }
    Some((of_old, of_new))
}

fn hash(table: &str, key: &str, values: &str) -> Checksum {
    let mut hasher = blake3::Hasher::new();
    for part in [table, ":", key, ":", values] {
        hasher.update(part.as_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    Checksum(u64::from_le_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &str) -> Checksums {
        Checksums::read("users", 0, &[rows.into()]).unwrap()
    }

    #[test]
    fn neither_order_nor_bounds_matter() {
        let whole = of("1:t61;2:t62;3:NULL");
        assert!(whole.are_equal());
        assert_eq!(of("3:NULL;1:t61;2:t62"), whole);
        let mut in_parts = of("2:t62");
        in_parts.add(&of("1:t61;3:NULL"));
        assert_eq!(in_parts, whole);
    }

    #[test]
    fn a_value_a_key_and_a_table_matter() {
        let rows = of("1:t61;2:t62");
        for other in [
            "1:t61;2:t63",
            "1:t62;2:t61",
            "1:t61;3:t62",
            "1:t61",
            "1:t61;2:b62",
        ] {
            assert_ne!(of(other).new, rows.new, "{other}");
        }
        let elsewhere = Checksums::read("people", 0, &["1:t61;2:t62".into()]).unwrap();
        assert_ne!(elsewhere.new, rows.new);
    }

    #[test]
    fn old_is_told_where_it_is_another() {
        let rows = of("1:7:8;2:5");
        assert!(!rows.are_equal());
        assert_eq!(rows.old, of("1:8;2:5").old);
        assert_eq!(rows.new, of("1:7;2:5").new);
    }

    #[test]
    fn sums_beyond_64_bits_are_taken_modulo() {
        let sums = |old: &str, new: &str| Checksums::read("t", 0, &[old.into(), new.into()]);
        let sum = sums("-1", "18446744073709551616").unwrap();
        assert_eq!((sum.old, sum.new), (Checksum(u64::MAX), Checksum(0)));
        assert_eq!(sums("18446744073709551615", "-1").unwrap().old, sum.old);
        assert!(sums("1.5", "2").is_err());
        assert_eq!(Checksum::of_text(&sum.old.to_string()), Some(sum.old));
        assert_eq!(Checksum::of_text("+00000000000000f"), None);
    }

    #[test]
    fn no_rows_are_nothing() {
        let nothing = [Value::Text(None), Value::Text(None)];
        assert_eq!(
            Checksums::read("t", 0, &nothing[..1]).unwrap(),
            Checksums::default()
        );
        assert_eq!(
            Checksums::read("t", 0, &nothing).unwrap(),
            Checksums::default()
        );
        assert!(Checksums::read("t", 0, &["1".into()]).is_err());
    }
}
