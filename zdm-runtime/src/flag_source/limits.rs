//! Which readers may take new, as a source says it, and the decision for one key.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Write as _};

use crate::share::ALL;
use crate::{Flags, Stage, bucket};

/// How far the readers of one migration may move to new in one instance. Without anything said: as far as the control tables allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderLimits {
    at_most: u32,
    read_new: BTreeSet<String>,
    read_old: BTreeSet<String>,
}

impl Default for ReaderLimits {
    fn default() -> Self {
        Self {
            at_most: ALL,
            read_new: BTreeSet::new(),
            read_old: BTreeSet::new(),
        }
    }
}

impl ReaderLimits {
    /// No more than this share of the keys, in basis points (2 500 are a quarter; more than 10 000 are all).
    #[must_use]
    pub fn at_most(self, basis_points: u32) -> Self {
        let at_most = basis_points.min(ALL);
        Self { at_most, ..self }
    }

    /// These keys read new at `live`, whatever the share is. A key is its text, as a mismatch is logged: of several columns `7,en`.
    #[must_use]
    pub fn read_new<K: Display>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.read_new
            .extend(keys.into_iter().map(|key| key.to_string()));
        self
    }

    /// These keys read old at `live`, also where another source or list has them read new.
    #[must_use]
    pub fn read_old<K: Display>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.read_old
            .extend(keys.into_iter().map(|key| key.to_string()));
        self
    }

    /// Nobody: what holds as long as a source has never answered.
    pub(crate) fn floor() -> Self {
        Self::default().at_most(0)
    }

    /// What two sources allow together: the smaller share, and the keys of both.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.read_new.extend(other.read_new);
        self.read_old.extend(other.read_old);
        let at_most = self.at_most.min(other.at_most);
        Self { at_most, ..self }
    }

    /// Some readers take old for longer than the control tables ask for.
    pub(crate) fn holds_back(&self) -> bool {
        self.at_most < ALL || !self.read_old.is_empty()
    }
}

impl Display for ReaderLimits {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = f64::from(self.at_most) / 100.0;
        write!(to, "at most {percent} % of the keys read new")?;
        for (keys, side) in [(&self.read_old, "old"), (&self.read_new, "new")] {
            match keys.len() {
                0 => {}
                1 => write!(to, ", 1 key always {side}")?,
                many => write!(to, ", {many} keys always {side}")?,
            }
        }
        Ok(())
    }
}

/// Limits in the form that a reader asks: no lock, no allocation.
#[derive(Debug)]
pub(crate) struct Decider {
    at_most: u32,
    /// Keys with a side of their own, by hash.
    listed: Box<[Listed]>,
}

#[derive(Debug)]
struct Listed {
    hash: u32,
    key: Box<str>,
    reads_new: bool,
}

impl Decider {
    pub(crate) fn of(limits: &ReaderLimits) -> Self {
        let listed = |key: &String, reads_new| Listed {
            hash: bucket::hash(key),
            key: key.as_str().into(),
            reads_new,
        };
        let old = limits.read_old.iter().map(|key| listed(key, false));
        let new = limits.read_new.difference(&limits.read_old);
        let mut listed: Box<[_]> = old.chain(new.map(|key| listed(key, true))).collect();
        listed.sort_by_key(|listed| listed.hash);
        Self {
            at_most: limits.at_most,
            listed,
        }
    }

    /// The flags with no larger share than this instance may have.
    #[inline]
    pub(crate) fn limit(&self, flags: Flags) -> Flags {
        flags.at_most(self.at_most)
    }

    #[inline]
    pub(crate) fn reads_new(&self, flags: Flags, salt: &str, key: &dyn Display) -> bool {
        if flags.stage() == Stage::Live
            && let Some(reads_new) = self.listed(key)
        {
            return reads_new;
        }
        self.limit(flags).reads_new(salt, key)
    }

    #[inline]
    fn listed(&self, key: &dyn Display) -> Option<bool> {
        if self.listed.is_empty() {
            return None;
        }
        let hash = bucket::hash(key);
        let from = self.listed.partition_point(|listed| listed.hash < hash);
        self.listed[from..]
            .iter()
            .take_while(|listed| listed.hash == hash)
            .find(|listed| is_written(key, &listed.key))
            .map(|listed| listed.reads_new)
    }
}

/// Whether a key's text is this one.
fn is_written(key: &dyn Display, text: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(text);
    write!(rest, "{key}").is_ok() && rest.0.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(stage: Stage, points: u32) -> Flags {
        Flags::new(1, 0, stage, points)
    }

    fn readers(limits: &ReaderLimits, flags: Flags) -> usize {
        let decider = Decider::of(limits);
        (0..1_000)
            .filter(|key| decider.reads_new(flags, "salt", key))
            .count()
    }

    #[test]
    fn a_share_is_lowered_and_never_raised() {
        let quarter = flags(Stage::Live, 2_500);
        let all = readers(&ReaderLimits::default(), quarter);
        assert_eq!(
            readers(&ReaderLimits::default().at_most(9_000), quarter),
            all
        );
        assert!((50..150).contains(&readers(&ReaderLimits::default().at_most(1_000), quarter)));
        assert_eq!(readers(&ReaderLimits::floor(), quarter), 0);
    }

    #[test]
    fn nothing_counts_but_at_live() {
        let limits = ReaderLimits::floor().read_new(0..500).read_old(500..1_000);
        for stage in [Stage::Off, Stage::DualWrite, Stage::Shadow] {
            assert_eq!(readers(&limits, flags(stage, 0)), 0, "{stage:?}");
        }
        for stage in [Stage::RampDown, Stage::Complete] {
            assert_eq!(readers(&limits, flags(stage, ALL)), 1_000, "{stage:?}");
        }
        assert_eq!(readers(&limits, flags(Stage::Live, ALL)), 500);
    }

    #[test]
    fn a_key_that_is_listed_twice_reads_old() {
        let limits = ReaderLimits::default().read_new([1, 2]);
        let both = limits.and(ReaderLimits::default().read_old([2, 3]));
        let decider = Decider::of(&both);
        let reads = |key: i32| decider.reads_new(flags(Stage::Live, 0), "salt", &key);
        assert_eq!([1, 2, 3, 4].map(reads), [true, false, false, false]);
        let reads = |key: i32| decider.reads_new(flags(Stage::Live, ALL), "salt", &key);
        assert_eq!([1, 2, 3, 4].map(reads), [true, false, false, true]);
    }

    #[test]
    fn a_key_is_the_whole_text() {
        let decider = Decider::of(&ReaderLimits::default().read_new(["7,en", "12"]));
        let reads = |key: &dyn Display| decider.reads_new(flags(Stage::Live, 0), "salt", key);
        assert!(reads(&"7,en") && reads(&format_args!("{},{}", 7, "en")) && reads(&12));
        assert!(!reads(&"7,e") && !reads(&"7,en ") && !reads(&1) && !reads(&123) && !reads(&""));
    }

    /// The lists are found by a hash of 32 bits: among so many keys some share one.
    #[test]
    fn keys_of_one_hash_are_told_apart() {
        let mut seen = std::collections::HashMap::new();
        let (one, other) = (0_u32..)
            .find_map(|key| {
                seen.insert(bucket::hash(&key), key)
                    .map(|before| (before, key))
            })
            .unwrap();
        let decider = Decider::of(&ReaderLimits::default().read_new([one]));
        let reads = |key: u32| decider.reads_new(flags(Stage::Live, 0), "salt", &key);
        assert!(reads(one) && !reads(other));
    }

    #[test]
    fn limits_say_what_they_do() {
        let limits = ReaderLimits::default().at_most(50).read_old([7]);
        assert_eq!(
            limits.to_string(),
            "at most 0.5 % of the keys read new, 1 key always old"
        );
        assert!(limits.holds_back() && !ReaderLimits::default().read_new([1]).holds_back());
    }
}
