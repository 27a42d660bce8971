//! Moving a migration between stages: gates on facts, the stage, the fences and the audit in one transaction; then waiting for
//! every older one.
//!
//! Comes in: a claimed migration, a manifest and where to go. Goes out: a moved and drained stage, or the shut gates.
//! Must not know: what a gate asks, how a backfill works.

mod drain;
mod error;
mod pause;
mod write;

use std::time::Duration;

pub use error::HopError;
pub use pause::{cancel, hold, is_paused, pause, resume};

use crate::audit::{self, Entry};
use crate::database::Connection;
use crate::facts::{self, Fact, Facts, Standing};
use crate::fleet;
use crate::gates::{self, Gate, Policy};
use crate::manifest::Manifest;
use crate::operator::Lease;
use crate::{By, Error, Share, Stage, bucket};

/// Registrations of processes that ended without a word are kept this long for `status`.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(7 * 24);

/// Where a migration is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    stage: Stage,
    share: Share,
}

impl Target {
    /// A stage; `live` means one basis point of the keys, see [`Target::live`].
    pub fn stage(stage: Stage) -> Self {
        Self {
            stage,
            share: Share::of(u32::from(stage == Stage::Live), By::Key),
        }
    }

    /// `live` with a share of keys that read new, of 1 to 10 000 basis points.
    pub fn live(basis_points: u32) -> Result<Self, HopError> {
        Self::live_by(basis_points, By::Key)
    }

    /// The same with a share of keys or of instances.
    pub fn live_by(basis_points: u32, by: By) -> Result<Self, HopError> {
        if !(1..=bucket::ALL).contains(&basis_points) {
            return Err(HopError::NoSuchShare { basis_points });
        }
        Ok(Self {
            stage: Stage::Live,
            share: Share::of(basis_points, by),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
}

/// What a hop did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Where the migration stood.
    pub from: Stage,
    /// Where it stands.
    pub to: Stage,
    /// False: it stood there already, and at most the waiting was finished.
    pub moved: bool,
    /// What was found at the gates.
    pub gates: Vec<Gate>,
    /// How long older transactions were waited for.
    pub waited: Duration,
}

/// Moves forward by one stage, or to a greater share at `live`, or to one that is counted differently. Where the migration stands
/// there already, the waiting for older transactions is finished: that is how an interrupted hop goes on.
pub async fn advance(
    connection: &mut Connection,
    lease: &Lease,
    manifest: &Manifest,
    target: Target,
    policy: &Policy,
    patience: Duration,
) -> Result<Moved, HopError> {
    let judge =
        |at: &Standing, facts: &Facts| gates::for_hop(at.stage, target.stage, facts, policy);
    let going = Going {
        target,
        way: Way::Forward,
        judge: &judge,
    };
    hop(connection, lease, manifest, going, patience).await
}

/// Moves back: reads any number of stages, writes by one. From `dual_write` to `off` the backfill, the verification and the
/// quarantine begin anew; from `complete` to `ramp_down` old is not to be read until it is filled and verified. The migration
/// counts as rolled back from then on: nothing automatic takes it forward ([`gates::for_advance`]).
pub async fn back(
    connection: &mut Connection,
    lease: &Lease,
    manifest: &Manifest,
    target: Target,
    patience: Duration,
) -> Result<Moved, HopError> {
    let judge = |at: &Standing, facts: &Facts| {
        let mut gates = gates::for_back(at.stage, target.stage, facts);
        if (at.stage, target.stage) == (Stage::Live, Stage::Live)
            && !target.share.is_below(at.share)
        {
            gates.push(gates::no_smaller_share(at.share, target.share));
        }
        gates
    };
    let going = Going {
        target,
        way: Way::Back,
        judge: &judge,
    };
    hop(connection, lease, manifest, going, patience).await
}

/// Where a hop leads, and what has to hold before it.
#[derive(Clone, Copy)]
struct Going<'a> {
    target: Target,
    way: Way,
    judge: &'a (dyn Fn(&Standing, &Facts) -> Vec<Gate> + Sync),
}

async fn hop(
    connection: &mut Connection,
    lease: &Lease,
    manifest: &Manifest,
    going: Going<'_>,
    patience: Duration,
) -> Result<Moved, HopError> {
    let target = going.target;
    connection.begin().await?;
    let flipped = flip(connection, lease, manifest, going).await;
    match &flipped {
        Ok(_) => connection.commit().await?,
        Err(refused) => {
            connection.rollback().await?;
            if let HopError::Shut { from, .. } = refused {
                let detail = told(*from, target, &refused.to_string());
                audit::record(connection, entry(lease, "refused", &detail)).await?;
            }
        }
    }
    let mut moved = flipped?;
    moved.waited = drain::wait(connection, lease, patience).await?;
    fleet::forget(connection, FORGOTTEN_AFTER).await?;
    Ok(moved)
}

/// Inside one transaction that holds the stage's row, and the fences of its tables: no other migration of these moves meanwhile.
async fn flip(
    connection: &mut Connection,
    lease: &Lease,
    manifest: &Manifest,
    Going { target, way, judge }: Going<'_>,
) -> Result<Moved, HopError> {
    lease.renew(connection).await?;
    // The update locks the row in every dialect, `SELECT … FOR UPDATE` does not.
    connection
        .execute(
            "UPDATE {zdm}stage SET epoch = epoch WHERE migration = $1",
            &[lease.migration().into()],
        )
        .await?;
    write::fences(connection, lease.migration(), 0).await?;
    let facts = facts::collect(connection, manifest).await?;
    let present = present(&facts)?;
    let from = present.stage;
    if from == target.stage && (from != Stage::Live || present.share == target.share) {
        return Ok(Moved {
            from,
            to: target.stage,
            moved: false,
            gates: Vec::new(),
            waited: Duration::ZERO,
        });
    }
    let gates = judge(&present, &facts);
    if !gates::all_open(&gates) {
        return Err(HopError::Shut {
            from,
            to: target.stage,
            gates,
        });
    }
    write::stage(connection, lease.migration(), &present, target).await?;
    write::rolled_back(connection, lease.migration(), way == Way::Back).await?;
    write::fences(connection, lease.migration(), 1).await?;
    write::reset(connection, lease.migration(), from, target.stage).await?;
    let found = gates
        .iter()
        .map(|gate| format!("{}: {}", gate.name, gate.reason))
        .collect::<Vec<_>>()
        .join("; ");
    let detail = told(from, target, &found);
    audit::append(connection, entry(lease, "done", &detail)).await?;
    Ok(Moved {
        from,
        to: target.stage,
        moved: true,
        gates,
        waited: Duration::ZERO,
    })
}

fn present(facts: &Facts) -> Result<Standing, HopError> {
    match &facts.standing {
        Fact::Known(Some(standing)) => Ok(*standing),
        Fact::Known(None) => Err(HopError::NoStage {
            migration: facts.migration.clone(),
        }),
        Fact::Unknown(reason) => Err(HopError::Control(Error::Unreadable {
            what: format!("no readable stage ({reason})"),
        })),
    }
}

/// What the audit log says of a hop.
fn told(from: Stage, target: Target, detail: &str) -> String {
    let share = match target.stage {
        Stage::Live => format!(
            " ({} basis points by {})",
            target.share.basis_points(),
            target.share.by().name()
        ),
        _ => String::new(),
    };
    format!("{from} to {}{share}: {detail}", target.stage)
}

fn entry<'a>(lease: &'a Lease, outcome: &'a str, detail: &'a str) -> Entry<'a> {
    Entry {
        actor: lease.actor(),
        migration: lease.migration(),
        content_hash: None,
        action: "hop",
        statement: None,
        outcome,
        duration: Duration::ZERO,
        detail,
    }
}
