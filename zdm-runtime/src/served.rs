//! A table of the code as this process serves it.
//!
//! Comes in: what was loaded of it. Goes out: its flags, limits of its readers, mismatches, or why it is not served.
//! Must not know: connections, other instances.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;

use crate::code::TableCode;
use crate::flag_source::{Decider, ReaderLimits};
use crate::flags::Cached;
use crate::table_state::Loaded;
use crate::{Error, Flags, Stage};

/// A table of the code, and what is known about it now.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) code: &'static TableCode,
    pub(crate) flags: Cached,
    /// The migrations whose stages the code follows, in their turn; known from the first time that the flags are loaded.
    followed: OnceLock<Vec<&'static str>>,
    /// Of each of them.
    mismatches: Vec<Counter>,
    /// Of each of them, where there are sources of limits: nobody reads new before they have been asked.
    limits: Vec<ArcSwap<Decider>>,
    pub(crate) acknowledged: AtomicI64,
    refusal: Mutex<Option<Error>>,
    /// How often a statement asked for the stage.
    pub(crate) refreshes: Counted,
    /// Rows whose sides were compared, and mismatches among them that the application knows of.
    pub(crate) compared: Counted,
    pub(crate) ignored: Counted,
}

/// Rows whose sides were not consistent.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    pub(crate) seen: Counted,
    pub(crate) reported: AtomicU64,
}

/// Something that only grows, and how much of it the recorder has: several handles of a process add to one metric.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    all: AtomicU64,
    #[cfg(feature = "metrics")]
    measured: AtomicU64,
}

impl Counted {
    pub(crate) fn one(&self) {
        self.all.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// What has come since this was asked last.
    #[cfg(feature = "metrics")]
    pub(crate) fn unmeasured(&self) -> u64 {
        let all = self.all();
        all - self.measured.swap(all, Ordering::Relaxed).min(all)
    }
}

impl Served {
    /// With `limited` readers there are sources of limits.
    pub(crate) fn new(code: &'static TableCode, limited: bool) -> Self {
        let limited = code.migrations.iter().filter(|_| limited);
        Self {
            code,
            flags: Cached::unknown(),
            followed: OnceLock::new(),
            mismatches: code.migrations.iter().map(|_| Counter::default()).collect(),
            limits: limited
                .map(|_| ArcSwap::from_pointee(Decider::of(&ReaderLimits::floor())))
                .collect(),
            acknowledged: AtomicI64::new(0),
            refusal: Mutex::new(None),
            refreshes: Counted::default(),
            compared: Counted::default(),
            ignored: Counted::default(),
        }
    }

    /// What was loaded, unless something newer is there already.
    pub(crate) fn take(&self, loaded: Loaded) {
        self.followed.get_or_init(|| loaded.followed);
        self.flags.offer(loaded.flags);
    }

    /// What the sources say of its migrations' readers, by id.
    pub(crate) fn limit(&self, limits: &BTreeMap<&'static str, ReaderLimits>) {
        let followed = self.followed.get().into_iter().flatten();
        for (migration, limit) in followed.zip(&self.limits) {
            if let Some(said) = limits.get(migration) {
                limit.store(Arc::new(Decider::of(said)));
            }
        }
    }

    /// Which side a key's reads take under these flags, within the limits of this instance.
    #[inline]
    pub(crate) fn reads_new(&self, flags: Flags, salt: &str, key: &dyn Display) -> bool {
        match self.limits.get(flags.turn()) {
            None => flags.reads_new(salt, key),
            Some(limits) => limits.load().reads_new(flags, salt, key),
        }
    }

    /// The flags with the share of readers that this instance may have.
    #[inline]
    pub(crate) fn limited(&self, flags: Flags) -> Flags {
        let limits = self.limits.get(flags.turn());
        limits.map_or(flags, |limits| limits.load().limit(flags))
    }

    /// Counts a row for the migration that moves under these flags, and says which that is.
    pub(crate) fn count_mismatch(&self, flags: Flags) -> Option<&'static str> {
        let (migration, counter) = self.counters().nth(flags.turn())?;
        counter.seen.one();
        Some(migration)
    }

    pub(crate) fn counters(&self) -> impl Iterator<Item = (&'static str, &Counter)> {
        let followed = self.followed.get().into_iter().flatten().copied();
        followed.zip(&self.mismatches)
    }

    /// The names of the migrations that the code follows, in their turn, each with its mismatches.
    #[cfg(feature = "metrics")]
    pub(crate) fn followed_migrations(&self) -> impl Iterator<Item = (&'static str, &Counted)> {
        self.counters().map(|(id, counter)| {
            let mut migrations = self.code.migrations.iter();
            let known = migrations.find(|migration| migration.id == id);
            (known.map_or(id, |migration| migration.name), &counter.seen)
        })
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn is_ready(&self) -> bool {
        self.refusal().is_none()
    }

    pub(crate) fn mismatches(&self) -> u64 {
        let seen = self.mismatches.iter();
        seen.map(|counter| counter.seen.all()).sum()
    }

    /// A migration of the table may be between its first hop and its last.
    pub(crate) fn is_moving(&self) -> bool {
        self.flags.load().stage() != Stage::Complete || self.refusal().is_some()
    }

    pub(crate) fn refusal(&self) -> Option<Error> {
        self.refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn refuse(&self, refusal: Option<Error>) {
        let mut present = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*present, &refusal) {
            (None, Some(error)) => tracing::error!(table = self.code.table, %error, "not ready"),
            (Some(_), None) => tracing::info!(table = self.code.table, "ready again"),
            _ => {}
        }
        *present = refusal;
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_is_told_what_is_new() {
        let counted = Counted::default();
        counted.one();
        counted.one();
        assert_eq!([counted.unmeasured(), counted.unmeasured()], [2, 0]);
        counted.one();
        assert_eq!((counted.unmeasured(), counted.all()), (1, 3));
    }
}
