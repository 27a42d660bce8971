//! The application's handle: registered in the control tables, its flags never more than about a second old.
//!
//! Comes in: a pool and the generated code. Goes out: [`Zdm`], which lends its tables to [`TableFlags`](crate::TableFlags).
//! Must not know: SQL.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::code::{Code, TableCode};
use crate::database::control;
use crate::database::control_connection::sealed::Control;
use crate::flags::Cached;
use crate::instance::Instance;
use crate::table_state::Loaded;
use crate::{Error, Flags, Pool, Stage, table_state};

/// Between two signs of life; a lease outlives several lost ones.
const BEAT: Duration = Duration::from_secs(1);
/// A sign of life that takes longer than this is given up and begun anew.
const BEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// The handle of one database. Cheap to clone; the last one dropped ends its task.
#[derive(Debug, Clone)]
pub struct Zdm(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    code: &'static Code,
    tables: Vec<Served>,
    instance: Instance,
    /// The control tables have its name.
    named: AtomicBool,
    closed: AtomicBool,
    /// Held during a beat, so that closing does not race with a registration.
    beating: tokio::sync::Mutex<()>,
}

/// A table of the code, and what is known about it now.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) code: &'static TableCode,
    pub(crate) flags: Cached,
    /// The migrations whose stages the code follows, in their turn; known from the first time that the flags are loaded.
    followed: OnceLock<Vec<&'static str>>,
    /// Of each of them.
    mismatches: Vec<Counter>,
    acknowledged: AtomicI64,
    refusal: Mutex<Option<Error>>,
    /// How often a statement asked for the stage.
    refreshes: AtomicU64,
}

/// Rows whose sides were not consistent.
#[derive(Debug, Default)]
struct Counter {
    seen: AtomicU64,
    reported: AtomicU64,
}

impl Zdm {
    /// Registers this process, loads every table's flags and keeps both fresh from a task of its own.
    ///
    /// Fails where the control tables are missing or unreadable, a table of the code has no fence, or a pooler would lose prepared
    /// statements; to see that, it opens a connection beside the pool's and closes it. Where only the present
    /// stage is none that the code can serve, [`Zdm::ready`] says so, and every statement of that table refuses.
    ///
    /// Where readers move to new by instance (`cargo zdm switch --by instance`), this one goes by the name of its host; of several on one
    /// host all read the same side. [`Zdm::connect_as`] gives it another.
    pub async fn connect(pool: impl Into<Pool>, code: &'static Code) -> Result<Self, Error> {
        Self::register(pool.into(), code, Instance::of_host()).await
    }

    /// The same under a name that stays the same over restarts, such as `web-1`: it decides whether this instance is in a share of
    /// instances that read new. Instances of one name read the same side.
    pub async fn connect_as(
        pool: impl Into<Pool>,
        code: &'static Code,
        name: &str,
    ) -> Result<Self, Error> {
        Self::register(pool.into(), code, Instance::of_name(name)?).await
    }

    async fn register(pool: Pool, code: &'static Code, instance: Instance) -> Result<Self, Error> {
        let zdm = Self(Arc::new(Inner {
            pool,
            code,
            tables: code.tables.iter().map(Served::new).collect(),
            instance,
            named: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            beating: tokio::sync::Mutex::new(()),
        }));
        zdm.0.start().await?;
        #[cfg(feature = "metrics")]
        crate::metered::describe();
        zdm.0.measure(true);
        tokio::spawn(beat_until_dropped(Arc::downgrade(&zdm.0)));
        Ok(zdm)
    }

    /// Whether this code can serve the present stage of all its tables; the error says which one not and what to do.
    pub fn ready(&self) -> Result<(), Error> {
        self.tables()
            .iter()
            .find_map(Served::refusal)
            .map_or(Ok(()), Err)
    }

    /// How many rows this process has found whose sides were not consistent, by table.
    pub fn mismatches(&self) -> Vec<(&'static str, u64)> {
        self.tables()
            .iter()
            .map(|table| (table.code.table, table.mismatches()))
            .collect()
    }

    /// The name by which this instance is in a share of instances or not.
    pub fn name(&self) -> &str {
        self.0.instance.name()
    }

    /// The id under which this process stands in the control tables.
    pub fn instance(&self) -> &str {
        self.0.instance.id()
    }

    /// Ends the signs of life and takes the registration away, so that no gate waits for this process.
    ///
    /// Call it when the last statement is done: repositories that live on still refuse stale writes, but nobody knows of them.
    pub async fn close(self) -> Result<(), Error> {
        self.0.closed.store(true, Ordering::Release);
        let _beat = self.0.beating.lock().await;
        let mut connection = self.0.pool.lend().await?;
        self.0.report(&mut connection).await?;
        self.0.instance.deregister(&mut connection).await
    }

    /// Does at once what the task does every second: for tests and health checks that cannot wait. On `SQLite` it mostly
    /// reads: what it writes keeps the lease, acknowledges a hop or reports mismatches.
    pub async fn beat(&self) -> Result<(), Error> {
        let beat = self.0.beat().await;
        self.0.measure(beat.is_ok());
        beat
    }

    pub(crate) fn tables(&self) -> &[Served] {
        &self.0.tables
    }
}

impl Inner {
    async fn start(&self) -> Result<(), Error> {
        let mut connection = self.pool.lend().await?;
        self.pool.keeps_statements(&mut connection).await?;
        control::check(&mut connection).await?;
        let fences = table_state::epochs(&mut connection)
            .await
            .map_err(control::granted)?;
        for table in &self.tables {
            if !fences.contains_key(table.code.table) {
                return Err(table_state::no_fence(table.code.table));
            }
        }
        self.instance
            .register(&mut connection, self.code)
            .await
            .map_err(control::granted)?;
        let loaded = async {
            self.load(&mut connection).await?;
            self.acknowledge(&mut connection).await
        };
        if let Err(error) = loaded.await {
            // The lease would say it too, only later.
            if let Err(left) = self.instance.deregister(&mut connection).await {
                tracing::warn!(error = %left, "a failed start left its registration until the lease ends");
            }
            return Err(error);
        }
        Ok(())
    }

    async fn beat(&self) -> Result<(), Error> {
        let _beat = self.beating.lock().await;
        if self.closed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut connection = self.pool.lend().await?;
        let moving = self.tables.iter().any(Served::is_moving);
        if !self.instance.renew(&mut connection, moving).await? {
            tracing::warn!(
                instance = self.instance.id(),
                "the registration was removed: registering anew"
            );
            for table in &self.tables {
                table.acknowledged.store(0, Ordering::Relaxed);
            }
            self.named.store(false, Ordering::Relaxed);
            self.instance.register(&mut connection, self.code).await?;
        }
        self.report(&mut connection).await?;
        self.load(&mut connection).await?;
        self.acknowledge(&mut connection).await
    }

    /// What is known now, for the recorder that the application has.
    #[cfg_attr(
        not(feature = "metrics"),
        allow(clippy::unused_self, reason = "nobody records anything")
    )]
    fn measure(&self, succeeded: bool) {
        #[cfg(feature = "metrics")]
        {
            crate::metered::beat(succeeded);
            self.tables.iter().for_each(crate::metered::table);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = succeeded;
    }

    /// Loads the flags of every table whose epoch has moved or which could not be served.
    async fn load<C: Control>(&self, connection: &mut C) -> Result<(), Error> {
        let epochs = table_state::epochs(connection).await?;
        for table in &self.tables {
            let seen = table.flags.load().epoch();
            if epochs.get(table.code.table) == Some(&seen) && table.refusal().is_none() {
                continue;
            }
            match table_state::load(connection, table.code, self.instance.name()).await {
                Ok(loaded) => {
                    table.take(loaded);
                    table.refuse(None);
                }
                Err(error @ Error::Database(_)) => return Err(error),
                Err(refusal) => table.refuse(Some(refusal)),
            }
        }
        Ok(())
    }

    /// Only what the atomics already hold is acknowledged: an operator may act on it.
    async fn acknowledge<C: Control>(&self, connection: &mut C) -> Result<(), Error> {
        for table in &self.tables {
            let epoch = table.flags.load().epoch();
            if table.refusal().is_none() && table.acknowledged.load(Ordering::Relaxed) != epoch {
                self.say_name(connection).await?;
                self.instance
                    .acknowledge(connection, table.code.table, epoch)
                    .await?;
                table.acknowledged.store(epoch, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Once, as soon as the control tables have a place for it: they may be upgraded while this instance runs, and are so before a hop.
    async fn say_name<C: Control>(&self, connection: &mut C) -> Result<(), Error> {
        if !self.named.load(Ordering::Relaxed) && control::has_names(connection).await? {
            self.instance.say_name(connection).await?;
            self.named.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn report<C: Control>(&self, connection: &mut C) -> Result<(), Error> {
        let counters = self.tables.iter().flat_map(Served::counters);
        for (migration, counter) in counters {
            let seen = counter.seen.load(Ordering::Relaxed);
            let new = seen - counter.reported.load(Ordering::Relaxed);
            if new > 0 {
                let new = i64::try_from(new).unwrap_or(i64::MAX);
                self.instance
                    .report_mismatches(connection, migration, new)
                    .await?;
                counter.reported.store(seen, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

impl Served {
    fn new(code: &'static TableCode) -> Self {
        Self {
            code,
            flags: Cached::unknown(),
            followed: OnceLock::new(),
            mismatches: code.migrations.iter().map(|_| Counter::default()).collect(),
            acknowledged: AtomicI64::new(0),
            refusal: Mutex::new(None),
            refreshes: AtomicU64::new(0),
        }
    }

    /// What was loaded, unless something newer is there already.
    pub(crate) fn take(&self, loaded: Loaded) {
        self.followed.get_or_init(|| loaded.followed);
        self.flags.offer(loaded.flags);
    }

    /// Counts a row for the migration that moves under these flags, and says which that is.
    pub(crate) fn count_mismatch(&self, flags: Flags) -> Option<&'static str> {
        let (migration, counter) = self.counters().nth(flags.turn())?;
        counter.seen.fetch_add(1, Ordering::Relaxed);
        Some(migration)
    }

    fn counters(&self) -> impl Iterator<Item = (&'static str, &Counter)> {
        let followed = self.followed.get().into_iter().flatten().copied();
        followed.zip(&self.mismatches)
    }

    /// The names of the migrations that the code follows, in their turn, each with its mismatches.
    #[cfg(feature = "metrics")]
    pub(crate) fn followed_migrations(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counters().map(|(id, counter)| {
            let mut migrations = self.code.migrations.iter();
            let known = migrations.find(|migration| migration.id == id);
            let seen = counter.seen.load(Ordering::Relaxed);
            (known.map_or(id, |migration| migration.name), seen)
        })
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Relaxed)
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn is_ready(&self) -> bool {
        self.refusal().is_none()
    }

    /// Counts a statement that asked for the stage.
    pub(crate) fn count_refresh(&self) {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
    }

    fn mismatches(&self) -> u64 {
        let seen = self.mismatches.iter();
        seen.map(|counter| counter.seen.load(Ordering::Relaxed))
            .sum()
    }

    /// A migration of the table may be between its first hop and its last.
    fn is_moving(&self) -> bool {
        self.flags.load().stage() != Stage::Complete || self.refusal().is_some()
    }

    fn refusal(&self) -> Option<Error> {
        self.refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn refuse(&self, refusal: Option<Error>) {
        let mut present = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*present, &refusal) {
            (None, Some(error)) => tracing::error!(table = self.code.table, %error, "not ready"),
            (Some(_), None) => tracing::info!(table = self.code.table, "ready again"),
            _ => {}
        }
        *present = refusal;
    }
}

/// On an error the last known flags stay: every statement carries their epoch, so that stale ones touch nothing.
async fn beat_until_dropped(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        if inner.closed.load(Ordering::Acquire) {
            return;
        }
        let beat = tokio::time::timeout(BEAT_TIMEOUT, inner.beat()).await;
        inner.measure(matches!(beat, Ok(Ok(()))));
        match beat {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "flags are the last known good"),
            Err(_) => {
                tracing::warn!("no answer from the control tables: flags are the last known good");
            }
        }
    }
}
