//! The instances under load: started and ended by the form of their code, killed, made to sleep.
//!
//! Comes in: which forms shall run. Goes out: instances that write and read. Must not know: the migration's steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use zdm_runtime::{Code, Flags, TableFlags};

use super::error::WorkError;
use super::instance::{self, Instance};
use super::line::Line;
use super::way::words;
use super::work::Shared;
use super::worker::{self, Orders, Role};
use crate::load::random::Random;
use crate::pipeline::rehearsed::Form;

/// The instances of one form: they contend, and leave a small machine room to move the migration.
const CREW: [Role; 3] = [Role::Writer, Role::Writer, Role::Reader];
/// How many more transactions of a worker count as its having been seen.
const SEEN: u64 = 25;
/// Writes of an instance that has slept, so that one of each kind may be among them.
const WOKEN: u32 = 5;
/// How long nothing may happen of what is waited for: a hang is an error, not a wait without end.
const PATIENCE: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(5);

/// An instance with its worker.
struct Member {
    instance: Instance,
    role: Role,
    orders: Arc<Orders>,
    task: JoinHandle<Result<(), WorkError>>,
}

/// All instances. Their tasks end with it.
pub(super) struct Fleet {
    pub(super) shared: Arc<Shared>,
    codes: BTreeMap<Form, &'static Code>,
    members: Vec<Member>,
    started: u64,
    random: Random,
    seed: u64,
}

/// An instance that sleeps, with the flags that it knows.
pub(super) struct Sleeper {
    pub(super) instance: Instance,
    flags: Vec<Option<Flags>>,
}

impl Fleet {
    pub(super) fn new(shared: Arc<Shared>, seed: u64) -> Self {
        let forms = shared.subject.forms().iter();
        Self {
            codes: forms
                .map(|form| (*form, instance::code(&shared.subject, *form)))
                .collect(),
            shared,
            members: Vec::new(),
            started: 0,
            random: Random::new(seed),
            seed,
        }
    }

    /// An instance without load.
    pub(super) async fn instance(&self, form: Form) -> Result<Instance, WorkError> {
        let (code, name) = (self.codes[&form], format!("instance {}", self.started));
        let called = (self.shared.url.as_str(), name.as_str());
        Ok(Instance::start(&self.shared.subject, code, form, called).await?)
    }

    /// The forms that run.
    pub(super) fn forms(&self) -> BTreeSet<Form> {
        self.members
            .iter()
            .map(|member| member.instance.form)
            .collect()
    }

    /// From now on these forms run and no others.
    pub(super) async fn run(&mut self, forms: &BTreeSet<Form>) -> Result<(), WorkError> {
        for form in self.forms() {
            if !forms.contains(&form) {
                self.stop(form).await?;
            }
        }
        for form in forms {
            if !self.forms().contains(form) {
                for role in CREW {
                    self.start(*form, role).await?;
                }
            }
        }
        Ok(())
    }

    async fn start(&mut self, form: Form, role: Role) -> Result<(), WorkError> {
        let instance = self.instance(form).await?;
        let orders = Arc::new(Orders::default());
        self.started += 1;
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(self.started);
        let (shared, of_task) = (Arc::clone(&self.shared), Arc::clone(&orders));
        let task = tokio::spawn(worker::work(shared, instance.clone(), role, of_task, seed));
        self.members.push(Member {
            instance,
            role,
            orders,
            task,
        });
        Ok(())
    }

    async fn stop(&mut self, form: Form) -> Result<(), WorkError> {
        let (going, staying) = std::mem::take(&mut self.members)
            .into_iter()
            .partition::<Vec<_>, _>(|member| member.instance.form == form);
        self.members = staying;
        for member in &going {
            member.orders.stop.store(true, Ordering::Relaxed);
        }
        for member in going {
            ended(member.task).await?;
            member.instance.zdm.close().await?;
        }
        Ok(())
    }

    /// Ends every worker and leaves the control tables.
    pub(super) async fn end(&mut self) -> Result<(), WorkError> {
        self.run(&BTreeSet::new()).await
    }

    /// Waits until every worker has done some more of its work.
    pub(super) async fn seen(&mut self) -> Result<(), WorkError> {
        let before: Vec<u64> = self.done().collect();
        let seen = |fleet: &Self| {
            let mut both = fleet.done().zip(&before);
            both.all(|(now, before)| now >= before + SEEN)
        };
        self.until(seen).await
    }

    fn done(&self) -> impl Iterator<Item = u64> {
        self.members
            .iter()
            .map(|member| member.orders.done.load(Ordering::Relaxed))
    }

    async fn until(&mut self, reached: impl Fn(&Self) -> bool) -> Result<(), WorkError> {
        let begun = Instant::now();
        while !reached(self) {
            let gone = self
                .members
                .iter()
                .position(|member| member.task.is_finished());
            if let Some(at) = gone {
                let member = self.members.remove(at);
                ended(member.task).await?;
                return Err(WorkError::Answer("a worker ended on its own".to_owned()));
            }
            if begun.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(WorkError::Answer(format!(
                    "the load stood still for {seconds} s"
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Has every instance look at once whether the stage has moved, which it does every second.
    pub(super) async fn beat(&self) -> Result<(), WorkError> {
        for member in &self.members {
            member.instance.zdm.beat().await?;
        }
        Ok(())
    }

    /// Has an instance of every running form compare all rows with the oracle.
    pub(super) async fn compare(&self) -> Result<(), WorkError> {
        for form in self.forms() {
            let mut members = self.members.iter();
            if let Some(member) = members.find(|member| member.instance.form == form) {
                self.shared.compare_all(&member.instance).await?;
            }
        }
        Ok(())
    }

    /// Ends the connection of a writer in the middle of its transaction.
    pub(super) async fn cut(&mut self) -> Result<(), WorkError> {
        let mut members = self.members.iter();
        let Some(member) = members.find(|member| member.role == Role::Writer) else {
            return Ok(());
        };
        member.orders.cut.store(true, Ordering::Relaxed);
        let orders = Arc::clone(&member.orders);
        self.until(|_| !orders.cut.load(Ordering::Relaxed)).await
    }

    /// Kills an instance in the middle of a transaction: nothing of it is ended in order. Another one takes its place.
    pub(super) async fn kill(&mut self) -> Result<(), WorkError> {
        let mut members = self.members.iter();
        let Some(at) = members.position(|member| member.role == Role::Writer) else {
            return Ok(());
        };
        let orders = Arc::clone(&self.members[at].orders);
        orders.hang.store(true, Ordering::Relaxed);
        self.until(|_| orders.hangs.load(Ordering::Relaxed)).await?;
        let member = self.members.remove(at);
        member.task.abort();
        // Its handle goes with the task: the signs of life end, and the registration stays until its lease does.
        let _ = member.task.await;
        let form = member.instance.form;
        drop(member.instance);
        self.shared.tally().killed.instances += 1;
        self.start(form, Role::Writer).await
    }

    /// One instance of every running form, with what it knows now.
    pub(super) fn sleepers(&self) -> Vec<Sleeper> {
        let forms = self.forms().into_iter();
        let members = forms.filter_map(|form| {
            let mut members = self.members.iter();
            members.find(|member| member.instance.form == form)
        });
        members
            .map(|member| Sleeper {
                flags: { member.instance.flags.iter() }
                    .map(|flags| flags.as_ref().map(TableFlags::current))
                    .collect(),
                instance: member.instance.clone(),
            })
            .collect()
    }

    /// Each sends its next writes with what it knew before it slept. Code that runs no more must be refused, if it is written at all.
    pub(super) async fn wake(&mut self, sleepers: Vec<Sleeper>) -> Result<(), WorkError> {
        let mut line = Line::open(&self.shared.url).await?;
        for sleeper in sleepers {
            for _ in 0..WOKEN {
                self.wake_one(&mut line, &sleeper).await?;
            }
        }
        Ok(())
    }

    async fn wake_one(&mut self, line: &mut Line, sleeper: &Sleeper) -> Result<(), WorkError> {
        let Sleeper { instance, flags } = sleeper;
        let runs = self.forms().contains(&instance.form);
        let shared = &self.shared;
        let woken = shared.wake(line, instance, flags, &mut self.random);
        let Some(woken) = woken.await? else {
            return Ok(());
        };
        let part = shared.part();
        let mut tally = shared.tally();
        match woken {
            Ok(_) if runs => tally.killed.sleepers_woken += 1,
            Ok(true) => tally.lose(&format!(
                "{} that may run no more has written past the hop that shuts it out",
                words(instance.form)
            )),
            Ok(false) => {}
            Err(_) if !runs => tally.killed.sleepers_refused += 1,
            Err(error) => tally.fail(part, &format!("after sleeping through a hop: {error}")),
        }
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for member in &self.members {
            member.task.abort();
        }
    }
}

async fn ended(task: JoinHandle<Result<(), WorkError>>) -> Result<(), WorkError> {
    task.await
        .unwrap_or_else(|error| Err(WorkError::Answer(format!("a worker ended early: {error}"))))
}
