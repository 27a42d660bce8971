//! What the sources of one handle say, and what of it the control tables know.
//!
//! Comes in: sources, the code. Goes out: the limits of each migration's readers, and what holds them back.
//! Must not know: tables, connections.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use crate::flag_source::{FlagSource, ReaderLimits};
use crate::{Code, CodeState, MigrationCode};

/// A source that takes longer has not answered.
const PATIENCE: Duration = Duration::from_secs(3);

/// The sources of a handle.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    sources: Vec<Source>,
    /// By migration, what holds its readers back now, and what the control tables were told.
    held: Mutex<BTreeMap<&'static str, Held>>,
}

#[derive(Debug)]
struct Source {
    asked: Arc<dyn FlagSource>,
    /// By migration, the last answer and whether the last question had none.
    last: Mutex<BTreeMap<&'static str, Last>>,
}

#[derive(Debug, Clone, Default)]
struct Last {
    answer: Option<ReaderLimits>,
    failing: bool,
}

#[derive(Debug, Default)]
struct Held {
    now: Option<String>,
    said: Option<String>,
}

impl Readers {
    pub(crate) fn of(sources: Vec<Arc<dyn FlagSource>>) -> Self {
        let source = |asked| Source {
            asked,
            last: Mutex::default(),
        };
        Self {
            sources: sources.into_iter().map(source).collect(),
            held: Mutex::default(),
        }
    }

    pub(crate) fn are_free(&self) -> bool {
        self.sources.is_empty()
    }

    /// The limits of every migration of which the code names both sides, by its id.
    pub(crate) async fn ask(
        &self,
        code: &Code,
        instance: &str,
    ) -> BTreeMap<&'static str, ReaderLimits> {
        if self.are_free() {
            return BTreeMap::new();
        }
        let migrations = code.tables.iter().flat_map(|table| table.migrations);
        let both_sides = migrations.filter(|known| known.state == CodeState::Transition);
        let once: BTreeMap<_, _> = both_sides.map(|known| (known.id, known)).collect();
        let asked = once.into_values().map(async |migration| {
            let limits = self.limits(migration, instance).await;
            (migration.id, limits)
        });
        join_all(asked).await.into_iter().collect()
    }

    async fn limits(&self, migration: &'static MigrationCode, instance: &str) -> ReaderLimits {
        let answers = self
            .sources
            .iter()
            .map(|source| source.ask(migration, instance));
        let mut limits = ReaderLimits::default();
        let mut said = Vec::new();
        for (source, answer) in self.sources.iter().zip(join_all(answers).await) {
            if answer.holds_back() {
                said.push(source.asked.name());
            }
            limits = limits.and(answer);
        }
        let now = limits
            .holds_back()
            .then(|| format!("{limits} (by {})", said.join(" and ")));
        lock(&self.held).entry(migration.id).or_default().now = now;
        limits
    }

    /// What the control tables do not know yet, by migration.
    pub(crate) fn unsaid(&self) -> Vec<(&'static str, Option<String>)> {
        let held = lock(&self.held);
        let unsaid = held.iter().filter(|(_, held)| held.now != held.said);
        unsaid.map(|(id, held)| (*id, held.now.clone())).collect()
    }

    /// The control tables know it now.
    pub(crate) fn said(&self, migration: &'static str, held: Option<String>) {
        lock(&self.held).entry(migration).or_default().said = held;
    }

    /// The registration is a new one, which knows nothing.
    pub(crate) fn forget_said(&self) {
        lock(&self.held)
            .values_mut()
            .for_each(|held| held.said = None);
    }
}

impl Source {
    /// What it says, else the last that it said, else nobody reads new.
    async fn ask(&self, migration: &'static MigrationCode, instance: &str) -> ReaderLimits {
        // A source is the application's own code: its panic must not end the asking.
        let question = async { self.asked.limits(migration, instance).await };
        let question = AssertUnwindSafe(question).catch_unwind();
        let error = match tokio::time::timeout(PATIENCE, question).await {
            Ok(Ok(Ok(limits))) => {
                let limits = limits.unwrap_or_default();
                let now = Last {
                    answer: Some(limits.clone()),
                    failing: false,
                };
                let before = lock(&self.last).insert(migration.id, now);
                self.tell(migration, before.as_ref(), &limits);
                return limits;
            }
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(_)) => "it panicked".to_owned(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        let mut last = lock(&self.last);
        let last = last.entry(migration.id).or_default();
        if !last.failing {
            let held = match last.answer {
                Some(_) => "what it said last holds",
                None => "until it answers, readers take old at `live`",
            };
            let source = self.asked.name();
            tracing::error!(%source, migration = migration.name, %error, "a source of flags fails: {held}");
        }
        last.failing = true;
        last.answer.clone().unwrap_or_else(ReaderLimits::floor)
    }

    fn tell(&self, migration: &MigrationCode, before: Option<&Last>, now: &ReaderLimits) {
        let known = before
            .and_then(|last| last.answer.clone())
            .unwrap_or_default();
        if before.is_some_and(|last| last.failing) || known != *now {
            let source = self.asked.name();
            tracing::info!(%source, migration = migration.name, "readers at `live`: {now}");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
