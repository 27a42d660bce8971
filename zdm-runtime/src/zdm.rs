//! The application's handle: registered in the control tables, its flags never more than about a second old.
//!
//! Comes in: a pool and the generated code. Goes out: [`Zdm`], which lends its tables to [`TableFlags`](crate::TableFlags).
//! Must not know: SQL.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::code::Code;
use crate::database::control;
use crate::database::control_connection::sealed::Control;
use crate::flag_source::{FlagSource, Readers};
use crate::instance::Instance;
use crate::served::Served;
use crate::{Error, Pool, table_state};

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
    readers: Readers,
    /// Held while the sources are asked, so that no older answer is stored last.
    asking: tokio::sync::Mutex<()>,
    /// The control tables have its name.
    named: AtomicBool,
    closed: AtomicBool,
    /// Held during a beat, so that closing does not race with a registration.
    beating: tokio::sync::Mutex<()>,
}

/// What a handle may be told beside its pool and its code.
#[derive(Debug, Default)]
pub struct ZdmOptions {
    name: Option<String>,
    sources: Vec<Arc<dyn FlagSource>>,
}

impl ZdmOptions {
    /// The name of the host, no source of flags.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name that stays the same over restarts, see [`Zdm::connect_as`].
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        let name = Some(name.into());
        Self { name, ..self }
    }

    /// A source of limits for the readers of this instance at `live`, see [`flag_source`](crate::flag_source). Of several the smaller
    /// share counts, and the keys of all.
    #[must_use]
    pub fn flags(mut self, source: impl FlagSource + 'static) -> Self {
        self.sources.push(Arc::new(source));
        self
    }
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
        Self::connect_with(pool, code, ZdmOptions::new()).await
    }

    /// The same under a name that stays the same over restarts, such as `web-1`: it decides whether this instance is in a share of
    /// instances that read new. Instances of one name read the same side.
    pub async fn connect_as(
        pool: impl Into<Pool>,
        code: &'static Code,
        name: &str,
    ) -> Result<Self, Error> {
        Self::connect_with(pool, code, ZdmOptions::new().name(name)).await
    }

    /// The same with a name, or with sources of flags, or with both.
    pub async fn connect_with(
        pool: impl Into<Pool>,
        code: &'static Code,
        options: ZdmOptions,
    ) -> Result<Self, Error> {
        let readers = Readers::of(options.sources);
        let served = |table| Served::new(table, !readers.are_free());
        let zdm = Self(Arc::new(Inner {
            pool: pool.into(),
            code,
            tables: code.tables.iter().map(served).collect(),
            instance: match options.name {
                Some(name) => Instance::of_name(&name)?,
                None => Instance::of_host(),
            },
            readers,
            asking: tokio::sync::Mutex::new(()),
            named: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            beating: tokio::sync::Mutex::new(()),
        }));
        zdm.0.start().await?;
        #[cfg(feature = "metrics")]
        crate::metered::describe();
        zdm.0.measure(true);
        tokio::spawn(beat_until_dropped(Arc::downgrade(&zdm.0)));
        if !zdm.0.readers.are_free() {
            tokio::spawn(ask_until_dropped(Arc::downgrade(&zdm.0)));
        }
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
        #[cfg(feature = "metrics")]
        crate::metered::closed(&self.0.tables);
        self.0.instance.deregister(&mut connection).await
    }

    /// Does at once what the tasks do every second: for tests and health checks that cannot wait. On `SQLite` it mostly
    /// reads: what it writes keeps the lease, acknowledges a hop or reports mismatches.
    pub async fn beat(&self) -> Result<(), Error> {
        self.0.ask().await;
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
        // Before there is a lease that a slow source could outlast.
        let limits = self.readers.ask(self.code, self.instance.name()).await;
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
            self.tables.iter().for_each(|table| table.limit(&limits));
            self.say_held(&mut connection).await?;
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
            self.readers.forget_said();
            self.instance.register(&mut connection, self.code).await?;
        }
        self.report(&mut connection).await?;
        self.load(&mut connection).await?;
        self.say_held(&mut connection).await?;
        self.acknowledge(&mut connection).await
    }

    /// Asks the sources what readers of this instance may take.
    async fn ask(&self) {
        let _asking = self.asking.lock().await;
        let limits = self.readers.ask(self.code, self.instance.name()).await;
        self.tables.iter().for_each(|table| table.limit(&limits));
    }

    /// What is known now, for the recorder that the application has.
    #[cfg_attr(
        not(feature = "metrics"),
        allow(clippy::unused_self, reason = "nobody records anything")
    )]
    fn measure(&self, succeeded: bool) {
        // A beat that was under way while the handle was closed.
        #[cfg(feature = "metrics")]
        if !self.closed.load(Ordering::Acquire) {
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

    /// What holds readers back, as soon as the control tables have a place for it, so that nobody takes a share for reached that is not.
    async fn say_held<C: Control>(&self, connection: &mut C) -> Result<(), Error> {
        let unsaid = self.readers.unsaid();
        if unsaid.is_empty() || !control::has_holds(connection).await? {
            return Ok(());
        }
        for (migration, held) in unsaid {
            self.instance
                .hold(connection, migration, held.as_deref())
                .await?;
            self.readers.said(migration, held);
        }
        Ok(())
    }

    async fn report<C: Control>(&self, connection: &mut C) -> Result<(), Error> {
        let counters = self.tables.iter().flat_map(Served::counters);
        for (migration, counter) in counters {
            let seen = counter.seen.all();
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

/// Apart from the signs of life, which a slow source must not delay.
async fn ask_until_dropped(inner: Weak<Inner>) {
    let mut ticks = beats();
    while let Some(inner) = next(&mut ticks, &inner).await {
        inner.ask().await;
    }
}

/// On an error the last known flags stay: every statement carries their epoch, so that stale ones touch nothing.
async fn beat_until_dropped(inner: Weak<Inner>) {
    let mut ticks = beats();
    while let Some(inner) = next(&mut ticks, &inner).await {
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

/// From one beat after now.
fn beats() -> Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + BEAT, BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The handle at the next beat; `None` once it is closed or dropped.
async fn next(ticks: &mut Interval, inner: &Weak<Inner>) -> Option<Arc<Inner>> {
    ticks.tick().await;
    let inner = inner.upgrade()?;
    (!inner.closed.load(Ordering::Acquire)).then_some(inner)
}
