//! Comparing both sides of a row while it is read, in the terms of the application.
//!
//! Comes in: the row's two sides, and whether they are consistent by the migration's own expressions. Goes out: what is counted as a
//! mismatch. Must not know: rows, which side the read takes.

use std::fmt::{self, Display};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::share::ALL;
use crate::{Error, Flags, TableFlags};

type Predicate<M> = Box<dyn Fn(&M, &M) -> bool + Send + Sync>;
type Shown<M> = Box<dyn Fn(&M) -> String + Send + Sync>;

/// How a repository compares rows at `shadow` and `live`, by the words of GitHub's library Scientist.
///
/// Without anything said each row that is read is compared by the expressions of the migration, which the verification uses as well and
/// nothing here changes. A row of which one side does not read as the struct counts as a mismatch.
///
/// ```
/// # struct User { name: String, visits: i64 }
/// use zdm_runtime::Shadow;
///
/// let shadow = Shadow::new()
///     .compare(|old: &User, new: &User| old.name.trim() == new.name && old.visits == new.visits)
///     .ignore(|old, _new| old.name.is_empty())
///     .clean(|user| format!("{} characters", user.name.len()))
///     .sample(1_000);
/// ```
pub struct Shadow<M> {
    compare: Option<Predicate<M>>,
    ignore: Vec<Predicate<M>>,
    clean: Option<Shown<M>>,
    sample: u32,
    /// Rows that were read, to take some of them evenly.
    seen: AtomicU64,
}

impl<M> Default for Shadow<M> {
    fn default() -> Self {
        Self {
            compare: None,
            ignore: Vec::new(),
            clean: None,
            sample: ALL,
            seen: AtomicU64::new(0),
        }
    }
}

impl<M> Shadow<M> {
    /// Every row, by the migration's own expressions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the old side and the new one, in this order, are the same to the application; decides in place of the expressions.
    #[must_use]
    pub fn compare(self, same: impl Fn(&M, &M) -> bool + Send + Sync + 'static) -> Self {
        let compare: Option<Predicate<M>> = Some(Box::new(same));
        Self { compare, ..self }
    }

    /// Mismatches that are known and count for nothing. Of several each is asked.
    #[must_use]
    pub fn ignore(mut self, known: impl Fn(&M, &M) -> bool + Send + Sync + 'static) -> Self {
        self.ignore.push(Box::new(known));
        self
    }

    /// What the log may show of a side that differs; nothing of it without this, since rows hold what belongs to people.
    #[must_use]
    pub fn clean(mut self, shown: impl Fn(&M) -> String + Send + Sync + 'static) -> Self {
        self.clean = Some(Box::new(shown));
        self
    }

    /// Only so many of 10 000 rows are compared, evenly spread.
    #[must_use]
    pub fn sample(self, basis_points: u32) -> Self {
        let sample = basis_points.min(ALL);
        Self { sample, ..self }
    }

    /// Compares the sides of a row that was read under `flags`. Generated code calls it.
    pub fn observe(
        &self,
        table: &TableFlags,
        flags: Flags,
        key: &dyn Display,
        consistent: bool,
        old: impl FnOnce() -> Result<M, Error>,
        new: impl FnOnce() -> Result<M, Error>,
    ) {
        if !self.takes() {
            return;
        }
        table.served().compared.one();
        if consistent && self.compare.is_none() {
            return;
        }
        let (Ok(old), Ok(new)) = (old(), new()) else {
            if !consistent || self.compare.is_some() {
                table.mismatch_at(flags, key);
            }
            return;
        };
        let same = match &self.compare {
            Some(compare) => compare(&old, &new),
            None => consistent,
        };
        if same {
            return;
        }
        if self.ignore.iter().any(|known| known(&old, &new)) {
            table.served().ignored.one();
            return;
        }
        match &self.clean {
            Some(clean) => table.mismatch_of(flags, key, Some(&[clean(&old), clean(&new)])),
            None => table.mismatch_at(flags, key),
        }
    }

    fn takes(&self) -> bool {
        if self.sample == ALL {
            return true;
        }
        let all = u64::from(ALL);
        let before = self.seen.fetch_add(1, Ordering::Relaxed) % all;
        before * u64::from(self.sample) % all < u64::from(self.sample)
    }
}

impl<M> fmt::Debug for Shadow<M> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Shadow")
            .field("compare", &self.compare.is_some())
            .field("ignore", &self.ignore.len())
            .field("clean", &self.clean.is_some())
            .field("sample", &self.sample)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_evenly_spread() {
        for points in [0, 1, 333, 2_500, 9_999, ALL] {
            let shadow = Shadow::<()>::new().sample(points);
            let taken: Vec<_> = (0..20_000).filter(|_| shadow.takes()).collect();
            assert_eq!(taken.len(), 2 * points as usize, "{points}");
            if let Some(step) = ALL.checked_div(points) {
                let gaps = taken.windows(2).map(|pair| pair[1] - pair[0]);
                assert!(gaps.max() <= Some(step + 1), "{points}");
            }
        }
    }
}
