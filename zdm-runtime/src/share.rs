//! The share of the reads that go to new at `live`, counted by key or by instance.
//!
//! Comes in: what an operator asked for, or what the control tables hold. Goes out: the share of keys that one instance reads from
//! new. Must not know: where either is kept.

use std::str::FromStr;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::{Error, bucket};

/// All basis points: every key, every instance.
pub(crate) const ALL: u32 = 10_000;

/// What a share is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Every instance reads new for the same keys.
    Key,
    /// Some instances read new for all keys, the others for none.
    Instance,
}

/// How many of the reads go to new at `live`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    basis_points: u32,
    by: By,
}

impl By {
    /// As options, configuration and programs spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Instance => "instance",
        }
    }
}

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Key, Self::Instance]
            .into_iter()
            .find(|by| by.name() == text)
            .ok_or_else(|| format!("`{text}` is neither `key` nor `instance`"))
    }
}

impl Share {
    /// No read.
    pub const NONE: Self = Self::of(0, By::Key);
    /// Every read.
    pub const ALL: Self = Self::of(ALL, By::Key);

    /// A share in basis points. None and all are the same however they are counted: so everybody reads new at 100 %, also an instance
    /// whose runtime is from before shares by instance.
    pub const fn of(basis_points: u32, by: By) -> Self {
        let by = if basis_points == 0 || basis_points >= ALL {
            By::Key
        } else {
            by
        };
        Self { basis_points, by }
    }

    /// What a stage's row holds. A share by instance has none by key beside it, so that a runtime from before reads old; where there is
    /// one by key all the same, a command line from before has written it over the other.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn recorded(by_key: i64, by_instance: Option<i64>) -> Result<Self, Error> {
        let by_key = Self::of(points(by_key)?, By::Key);
        Ok(match by_instance {
            Some(by_instance) if by_key == Self::NONE => {
                Self::of(points(by_instance)?, By::Instance)
            }
            _ => by_key,
        })
    }

    /// `25%` or `0.5%` in basis points, up to all; `None`: it is no such share.
    pub fn percent(share: &str) -> Option<u32> {
        let percent = share.strip_suffix('%')?;
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(fraction, 2) {
            return None;
        }
        let whole = whole.parse::<u32>().ok()? * 100;
        let points = whole + format!("{fraction:0<2}").parse::<u32>().ok()?;
        (points <= ALL).then_some(points)
    }

    /// Its size, of 10 000.
    pub const fn basis_points(self) -> u32 {
        self.basis_points
    }

    /// What it is counted by.
    pub const fn by(self) -> By {
        self.by
    }

    /// Whether no read goes to new that did not before: of shares that are counted differently neither is within the other.
    pub fn is_below(self, other: Self) -> bool {
        let alike = self.by == other.by || self == Self::NONE || other == Self::ALL;
        alike && self.basis_points < other.basis_points
    }

    /// The share of keys that an instance of this name reads from new. The same name gets the same answer while the share does not fall.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub fn of_instance(self, migration: &str, name: &str) -> u32 {
        match self.by {
            By::Key => self.basis_points,
            By::Instance if bucket::of(migration, &name) < self.basis_points => ALL,
            By::Instance => 0,
        }
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn points(points: i64) -> Result<u32, Error> {
    u32::try_from(points)
        .ok()
        .filter(|points| *points <= ALL)
        .ok_or_else(|| Error::Unreadable {
            what: format!("{points} basis points"),
        })
}

#[cfg(all(test, any(feature = "postgres", feature = "sqlite")))]
mod tests {
    use super::*;

    fn readers(points: u32) -> Vec<String> {
        let names = (0..1_000).map(|number| format!("web-{number}"));
        let share = Share::of(points, By::Instance);
        names
            .filter(|name| match share.of_instance("0123456789ab", name) {
                ALL => true,
                keys => {
                    assert_eq!(keys, 0, "all keys or none");
                    false
                }
            })
            .collect()
    }

    #[test]
    fn a_share_by_instance_is_all_keys_of_some_instances() {
        assert!((200..300).contains(&readers(2_500).len()));
        assert_eq!(readers(0), Vec::<String>::new());
        assert_eq!(readers(ALL).len(), 1_000);
    }

    #[test]
    fn a_growing_share_keeps_the_instances_that_it_had() {
        let mut before = Vec::new();
        for points in [1, 100, 1_000, 5_000, 9_999, ALL] {
            let now = readers(points);
            assert!(before.iter().all(|name| now.contains(name)), "{points}");
            before = now;
        }
    }

    #[test]
    fn each_migration_has_instances_of_its_own() {
        let share = Share::of(5_000, By::Instance);
        let reads = |migration| {
            (0..64).map(move |name| share.of_instance(migration, &format!("web-{name}")))
        };
        assert!(!reads("0123456789ab").eq(reads("ba9876543210")));
    }

    #[test]
    fn a_share_by_key_is_everybodys() {
        for name in ["web-1", "web-2"] {
            assert_eq!(Share::of(77, By::Key).of_instance("m", name), 77);
        }
    }

    #[test]
    fn none_and_all_are_counted_by_nothing() {
        assert_eq!(Share::of(0, By::Instance), Share::NONE);
        assert_eq!(Share::of(ALL, By::Instance), Share::ALL);
    }

    #[test]
    fn below_is_fewer_of_the_same() {
        let (keys, instances) = (
            |points| Share::of(points, By::Key),
            |points| Share::of(points, By::Instance),
        );
        assert!(keys(1).is_below(keys(2)) && !keys(2).is_below(keys(2)));
        assert!(instances(1).is_below(instances(2)) && instances(1).is_below(Share::ALL));
        assert!(!instances(1).is_below(keys(2)) && !keys(1).is_below(instances(2)));
        assert!(Share::NONE.is_below(instances(1)) && !Share::ALL.is_below(instances(1)));
    }

    #[test]
    fn what_is_by_key_stands_over_what_is_by_instance() {
        let recorded = |keys, instances| Share::recorded(keys, instances).unwrap();
        assert_eq!(recorded(0, Some(25)), Share::of(25, By::Instance));
        assert_eq!(recorded(7, Some(25)), Share::of(7, By::Key));
        assert_eq!(recorded(7, None), Share::of(7, By::Key));
        assert_eq!(recorded(0, None), Share::NONE);
        for odd in [(-1, None), (10_001, None), (0, Some(-1)), (0, Some(10_001))] {
            assert!(Share::recorded(odd.0, odd.1).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn names_are_understood() {
        for by in [By::Key, By::Instance] {
            assert_eq!(by.name().parse(), Ok(by));
        }
        assert!("host".parse::<By>().is_err());
    }
}
