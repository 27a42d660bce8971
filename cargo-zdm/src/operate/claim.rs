//! One command line moves a migration at a time: the operator's lease around a command's work.
//!
//! Comes in: the session, a migration, the work. Goes out: the work's outcome, the lease given back.
//! Must not know: what the work is.

use std::time::Duration;

use zdm_runtime::gates;
use zdm_runtime::operator::{self, Lease, LeaseError, VERSIONS};

use super::position::Position;
use super::session::{Session, connect};
use super::{gate, rights};
use crate::error::Failure;

/// Well below the lease's length.
const RENEW_EVERY: Duration = Duration::from_secs(15);

/// What somebody claims a migration for.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Move,
    Backfill,
}

impl Session {
    /// Does `work` while nobody else may move the migration.
    pub(crate) async fn claimed<T>(
        &mut self,
        place: usize,
        work: impl AsyncFnOnce(&mut Self, &Lease) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.upgrade().await?;
        rights::to_move(&mut self.connection).await?;
        self.claim(place, work).await
    }

    /// [`Session::claimed`] for work on rows, which moves no migration and needs no right to.
    pub(crate) async fn claimed_to_fill<T>(
        &mut self,
        place: usize,
        work: impl AsyncFnOnce(&mut Self, &Lease) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.upgrade().await?;
        rights::to_record(&mut self.connection).await?;
        self.claim(place, work).await
    }

    /// [`Session::claimed`] where the migration stands where it was seen. `None`: another command has moved it since, so that what was
    /// decided may be another move, and nothing was done.
    pub(crate) async fn claimed_at<T>(
        &mut self,
        place: usize,
        seen: Position,
        work: impl AsyncFnOnce(&mut Self, &Lease) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        self.claimed(place, async |session, lease| {
            if session.position(place).await? != seen {
                return Ok(None);
            }
            work(session, lease).await.map(Some)
        })
        .await
    }

    /// [`Session::claimed_to_fill`] for a backfill. `None`: another backfill holds the migration, which is one to work beside.
    pub(crate) async fn claimed_to_backfill<T>(
        &mut self,
        place: usize,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        self.upgrade().await?;
        rights::to_record(&mut self.connection).await?;
        let id = self.manifest(place).id.clone();
        let lease = match self.acquire(&id, Purpose::Backfill).await {
            Err(LeaseError::Held { owner, .. }) if operator::backfills(&owner) => return Ok(None),
            acquired => acquired?,
        };
        self.holding(lease, async |session, _| {
            session.may_move(place).await?;
            work(session).await
        })
        .await
        .map(Some)
    }

    async fn claim<T>(
        &mut self,
        place: usize,
        work: impl AsyncFnOnce(&mut Self, &Lease) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let id = self.manifest(place).id.clone();
        let lease = self.acquire(&id, Purpose::Move).await?;
        self.holding(lease, async |session, lease| {
            session.may_move(place).await?;
            work(session, lease).await
        })
        .await
    }

    /// Does `work` while nobody else puts a version into effect or takes one back: what it stands on stays, and nothing
    /// comes to stand on it. Within [`Session::claimed`], for one order of claims.
    pub(crate) async fn versions_claimed<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let lease = self.acquire(VERSIONS, Purpose::Move).await?;
        self.holding(lease, async |session, _| work(session).await)
            .await
    }

    async fn holding<T>(
        &mut self,
        lease: Lease,
        work: impl AsyncFnOnce(&mut Self, &Lease) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let keeper = tokio::spawn(keep(self.url().to_owned(), lease.clone()));
        self.leases.push(lease.clone());
        let outcome = work(self, &lease).await;
        self.leases.pop();
        keeper.abort();
        let released = lease.release(&mut self.connection).await;
        // What the work met comes first: after a lost connection the release fails as well, and the lease runs out.
        let outcome = outcome?;
        released?;
        Ok(outcome)
    }

    /// What somebody took back, nothing takes forward by itself. Judged under the claim: no rollback comes in between.
    async fn may_move(&mut self, place: usize) -> Result<(), Failure> {
        if !self.by_itself {
            return Ok(());
        }
        let gates = gates::for_advance(&self.facts(place).await?);
        if gates::all_open(&gates) {
            return Ok(());
        }
        let next = format!(
            "`cargo zdm resume {}` when the cause is mended, or the next step by hand",
            self.manifest(place).name
        );
        let mut gates = gate::show_all(&gates);
        for gate in &mut gates {
            gate.opens_when = Some(next.clone());
        }
        let mut failure = gate::refusal("advance").with_gates(gates);
        failure.next = next;
        Err(failure)
    }

    /// Who moves the migration at present, if that is another command that is alive.
    pub(crate) async fn moved_by(&mut self, place: usize) -> Result<Option<String>, Failure> {
        let id = self.manifest(place).id.clone();
        let holder = operator::holder(&mut self.connection, &id).await?;
        Ok(holder.filter(|owner| !self.is_dead(owner)))
    }

    async fn acquire(&mut self, claimed: &str, purpose: Purpose) -> Result<Lease, LeaseError> {
        match self.try_to_acquire(claimed, purpose).await {
            Err(LeaseError::Held { owner, .. }) if self.is_dead(&owner) => {
                self.terminal.say(&format!(
                    "taking over from {owner}, whose process has ended"
                ));
                self.connection
                    .execute(
                        "UPDATE {zdm}operator SET lease_until = 0 WHERE migration = $1 AND owner = $2",
                        &[claimed.into(), owner.into()],
                    )
                    .await?;
                self.try_to_acquire(claimed, purpose).await
            }
            acquired => acquired,
        }
    }

    async fn try_to_acquire(
        &mut self,
        claimed: &str,
        purpose: Purpose,
    ) -> Result<Lease, LeaseError> {
        let connection = &mut self.connection;
        match purpose {
            Purpose::Move => Lease::acquire(connection, claimed, &self.actor).await,
            Purpose::Backfill => Lease::acquire_to_backfill(connection, claimed, &self.actor).await,
        }
    }

    /// The owner was a process of this user on this host, and that process is gone. Should it yet live in another process
    /// namespace, its lease's epoch keeps it from changing anything.
    pub(crate) fn is_dead(&self, owner: &str) -> bool {
        let pid = owner
            .strip_prefix(&self.actor)
            .filter(|_| self.actor.contains('@'))
            .and_then(|rest| rest.strip_prefix(" (pid "))
            .and_then(|rest| rest.split([',', ')']).next())
            .and_then(|pid| pid.parse::<u32>().ok());
        let processes = std::path::Path::new("/proc");
        match pid {
            Some(pid) => {
                processes.join("self").exists() && !processes.join(pid.to_string()).exists()
            }
            None => false,
        }
    }
}

/// Prolongs the lease on a connection of its own, for as long as the work takes.
async fn keep(url: String, lease: Lease) {
    let mut connection = None;
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        if connection.is_none() {
            connection = connect(&url).await.ok();
        }
        if let Some(open) = &mut connection {
            match lease.renew(open).await {
                Ok(()) => {}
                // Every move checks the lease itself and refuses then.
                Err(LeaseError::Lost { .. }) => return,
                Err(_) => connection = None,
            }
        }
    }
}

impl From<LeaseError> for Failure {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Database(error) => error.into(),
            LeaseError::Control(error) => error.into(),
            held => Self::gate(
                held,
                "run `cargo zdm status` to see where the migration stands, then the same command again",
            ),
        }
    }
}
