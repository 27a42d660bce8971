//! One command line per migration: a row lease, fenced by its epoch, so that one that slept through it changes nothing.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use crate::control_value::{integer, text};
use crate::database::{Connection, DatabaseError};

/// How long a command line may be silent before another may take over.
const LEASE: Duration = Duration::from_mins(1);

/// What is claimed instead of a migration by whoever puts a version into effect or takes one back: each looks at what the
/// others stand on, so one at a time.
pub const VERSIONS: &str = "versions";

/// The last word of an owner that backfills: whoever comes to do the same works beside it.
const BACKFILLS: &str = ", backfilling)";

/// The right to move one migration, or the [`VERSIONS`].
#[derive(Debug, Clone)]
pub struct Lease {
    migration: String,
    actor: String,
    owner: String,
    epoch: i64,
}

/// Why a migration may not be moved from here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Somebody else is at it.
    #[error(
        "{owner} is moving {} at present; nothing was changed: wait until that command ends (its claim runs \
         out after at most {seconds} s of silence), then run this again",
        named(migration)
    )]
    Held {
        /// The migration.
        migration: String,
        /// Who.
        owner: String,
        /// Until its claim ends.
        seconds: i64,
    },
    /// The claim ran out and another took over.
    #[error(
        "this command was silent for so long that another one took {} over; what it had committed \
         stands, nothing else was changed: look at `cargo zdm status`, then run it again",
        named(migration)
    )]
    Lost {
        /// The migration.
        migration: String,
    },
    /// The control tables do not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// They hold what cannot be read.
    #[error(transparent)]
    Control(#[from] crate::Error),
}

fn named(claimed: &str) -> String {
    if claimed == VERSIONS {
        "a version into effect, or out of it,".to_owned()
    } else {
        format!("migration {claimed}")
    }
}

impl Lease {
    /// Claims a migration, or the [`VERSIONS`], for `actor`.
    pub async fn acquire(
        connection: &mut Connection,
        migration: &str,
        actor: &str,
    ) -> Result<Self, LeaseError> {
        Self::acquire_as(connection, migration, actor, ")").await
    }

    /// Claims a migration for a backfill: [`backfills`] is true of its owner.
    pub async fn acquire_to_backfill(
        connection: &mut Connection,
        migration: &str,
        actor: &str,
    ) -> Result<Self, LeaseError> {
        Self::acquire_as(connection, migration, actor, BACKFILLS).await
    }

    async fn acquire_as(
        connection: &mut Connection,
        migration: &str,
        actor: &str,
        last: &str,
    ) -> Result<Self, LeaseError> {
        let random = RandomState::new().build_hasher().finish();
        let owner = format!("{actor} (pid {}, {random:08x}{last}", std::process::id());
        loop {
            let claimed = connection
                .query(
                    "INSERT INTO {zdm}operator AS held (migration, owner, lease_epoch, lease_until) VALUES ($1, $2, 1, {now} + $3) \
                     ON CONFLICT (migration) DO UPDATE SET owner = excluded.owner, lease_epoch = held.lease_epoch + 1, \
                     lease_until = excluded.lease_until WHERE held.lease_until < {now} RETURNING lease_epoch",
                    &[migration.into(), owner.as_str().into(), lease_ms().into()],
                )
                .await?;
            if let Some(row) = claimed.first() {
                return Ok(Self {
                    migration: migration.to_owned(),
                    actor: actor.to_owned(),
                    owner,
                    epoch: integer(row, 0)?,
                });
            }
            // It may have been given back meanwhile.
            let held = connection
                .query(
                    "SELECT owner, (lease_until - {now}) / 1000 + 1 FROM {zdm}operator WHERE migration = $1 AND lease_until >= {now}",
                    &[migration.into()],
                )
                .await?;
            if let Some(row) = held.first() {
                return Err(LeaseError::Held {
                    migration: migration.to_owned(),
                    owner: text(row, 0)?,
                    seconds: integer(row, 1)?,
                });
            }
        }
    }

    /// Prolongs the claim. Inside a transaction it also keeps everybody else from taking over until the commit.
    pub async fn renew(&self, connection: &mut Connection) -> Result<(), LeaseError> {
        let renewed = connection
            .execute(
                "UPDATE {zdm}operator SET lease_until = {now} + $4 \
                 WHERE migration = $1 AND owner = $2 AND lease_epoch = $3",
                &[
                    self.migration.as_str().into(),
                    self.owner.as_str().into(),
                    self.epoch.into(),
                    lease_ms().into(),
                ],
            )
            .await?;
        if renewed == 0 {
            return Err(LeaseError::Lost {
                migration: self.migration.clone(),
            });
        }
        Ok(())
    }

    /// Gives the claim back.
    pub async fn release(self, connection: &mut Connection) -> Result<(), LeaseError> {
        connection
            .execute(
                "UPDATE {zdm}operator SET lease_until = 0 WHERE migration = $1 AND owner = $2 AND lease_epoch = $3",
                &[
                    self.migration.as_str().into(),
                    self.owner.as_str().into(),
                    self.epoch.into(),
                ],
            )
            .await?;
        Ok(())
    }

    /// The migration that is claimed.
    pub fn migration(&self) -> &str {
        &self.migration
    }

    /// In whose name.
    pub fn actor(&self) -> &str {
        &self.actor
    }
}

/// Whether an owner holds a migration for a backfill.
pub fn backfills(owner: &str) -> bool {
    owner.ends_with(BACKFILLS)
}

/// Who holds a migration at present.
pub async fn holder(
    connection: &mut Connection,
    migration: &str,
) -> Result<Option<String>, LeaseError> {
    let held = connection
        .query(
            "SELECT owner FROM {zdm}operator WHERE migration = $1 AND lease_until >= {now}",
            &[migration.into()],
        )
        .await?;
    Ok(held.first().map(|row| text(row, 0)).transpose()?)
}

fn lease_ms() -> i64 {
    i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)
}
