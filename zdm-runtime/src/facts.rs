//! What the gates look at: a snapshot of the control tables, as plain data.
//!
//! Comes in: a connection and a manifest. Goes out: [`Facts`]. What could not be read is [`Fact::Unknown`], never a guess.
//! Must not know: what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{self, Approval};
use crate::backfill::Way;
use crate::between::{self, Between};
use crate::control_value::{integer, optional_integer, optional_text, text};
use crate::database::{Connection, Row, control};
use crate::fleet::{self, Member};
use crate::manifest::{Direction, Manifest, Route};
use crate::neighbours::{self, Neighbour};
use crate::phase::Section;
use crate::{Error, Share, Stage, table_state};

/// Something that was asked of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// The answer.
    Known(T),
    /// Why there is none.
    Unknown(String),
}

/// Everything that a gate may ask about one migration at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Stable id.
    pub migration: String,
    /// Which phases it goes through.
    pub route: Route,
    /// Every pair has a way back.
    pub reversible: bool,
    /// The database's clock, in milliseconds since 1970.
    pub now: i64,
    /// Whether the database knows the version, and whether old is gone.
    pub record: Fact<Record>,
    /// Where it stands; `None`: it has no stage (not expanded, or a direct one).
    pub standing: Fact<Option<Standing>>,
    /// The other migrations of its tables.
    pub neighbours: Fact<Vec<Neighbour>>,
    /// The instances that write its tables.
    pub instances: Fact<Vec<Member>>,
    /// Chunks from old to new.
    pub backfill: Fact<Progress>,
    /// Chunks from new to old.
    pub reverse_backfill: Fact<Progress>,
    /// The last full comparison that allows reading new.
    pub verification_of_new: Fact<Option<Verification>>,
    /// The last full comparison that allows reading old again.
    pub verification_of_old: Fact<Option<Verification>>,
    /// Rows that could not be converted.
    pub quarantine: Fact<Quarantine>,
    /// Steps in effect, and steps that the plan has, by section.
    pub sections: Fact<BTreeMap<Section, Steps>>,
    /// The sections that build a table anew, for which it has to be as the versions describe it.
    pub rebuilds: BTreeSet<Section>,
    /// Rows that instances saw to differ since `shadow` was entered.
    pub shadow_mismatches: Fact<i64>,
    /// Who has approved that old is dropped.
    pub approvals: Fact<Vec<Approval>>,
    /// Who may do what with tables between which columns move, of each two of them.
    pub between: Fact<Vec<Between>>,
    /// When a backup was last recorded for this migration (audit action `backup`, outcome `done`).
    pub backup_at: Fact<Option<i64>>,
}

/// A migration's row in the history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Expand is in effect.
    pub expanded: bool,
    /// Old is dropped, or kept under another name: no code may name it.
    pub contracted: bool,
    /// Until when old is kept under another name, in milliseconds since 1970; `None`: nothing is kept.
    pub kept_until: Option<i64>,
    /// Since when it is: contract, in milliseconds since 1970; `None`: nothing is kept.
    pub kept_since: Option<i64>,
    /// When the last move was a way back, which nothing automatic may undo.
    pub rolled_back_at: Option<i64>,
    /// Where the rollback leads that holds the migration, if it was one that said so.
    pub rolled_back_to: Option<String>,
    /// When the last way back began, also where steps forward followed.
    pub taken_back_at: Option<i64>,
}

/// A migration's stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The stage.
    pub stage: Stage,
    /// Share of the reads that go to new at `live`.
    pub share: Share,
    /// Counts its hops.
    pub epoch: i64,
    /// The hop up to which no older transaction is left.
    pub drained_epoch: i64,
    /// When the stage or the share was entered.
    pub entered_at: i64,
    /// The epoch from which on old has been maintained without a break.
    pub old_since: Option<i64>,
    /// The epoch from which on new has been maintained without a break.
    pub new_since: Option<i64>,
    /// Since when nothing may move it.
    pub paused_at: Option<i64>,
}

/// Chunks of a backfill over all tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Tables whose ledger has no chunk yet.
    pub not_begun: Vec<String>,
    /// Chunks that are done.
    pub done: i64,
    /// All chunks.
    pub chunks: i64,
}

/// A full comparison that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    /// The stage's epoch when it began.
    pub epoch: i64,
    /// It ended without a mismatch.
    pub passed: bool,
    /// Rows that were not consistent.
    pub mismatches: i64,
    /// When it began.
    pub started_at: i64,
}

/// Values that could not be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quarantine {
    /// Nobody has decided.
    pub waiting: i64,
    /// Somebody decided to do without them.
    pub waived: i64,
    /// Of both, those whose column may not be NULL: their rows cannot be read from new.
    pub unreadable: i64,
}

/// Steps of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// In effect, as a whole or by half.
    pub done: i64,
    /// Of these, in effect by half: their undo has begun and not ended.
    pub half: i64,
    /// Of these, those over which nothing leads forward before their undo has ended.
    pub stuck: i64,
    /// Begun outside a transaction, with an end that is not on record: perhaps in effect.
    pub begun: i64,
    /// In the plan.
    pub planned: i64,
}

impl Steps {
    /// How many there may be to take back.
    pub const fn to_undo(self) -> i64 {
        self.done + self.begun
    }
}

/// Reads all facts about a migration. Only a database that does not even tell the time is an error.
pub async fn collect(connection: &mut Connection, manifest: &Manifest) -> Result<Facts, Error> {
    let clock = connection.query("SELECT {now}", &[]).await?;
    let now = integer(clock.first().unwrap_or(&Row::new()), 0)?;
    let id = manifest.id.as_str();
    Ok(Facts {
        migration: manifest.id.clone(),
        route: manifest.route,
        reversible: manifest.reversible,
        rebuilds: rebuilds(manifest),
        now,
        record: fact(record(connection, id).await),
        standing: fact(standing(connection, id).await),
        neighbours: fact(neighbours::of(connection, manifest).await),
        instances: fact(fleet::members(connection, id).await),
        backfill: fact(progress(connection, manifest, Way::Up).await),
        reverse_backfill: fact(progress(connection, manifest, Way::Reverse).await),
        verification_of_new: fact(verification(connection, id, "new").await),
        verification_of_old: fact(verification(connection, id, "old").await),
        quarantine: fact(quarantine(connection, manifest).await),
        sections: fact(sections(connection, manifest).await),
        shadow_mismatches: fact(shadow_mismatches(connection, id).await),
        approvals: fact(audit::approvals(connection, id).await),
        between: fact(between::of(connection, manifest).await),
        backup_at: fact(backup(connection, id).await),
    })
}

fn rebuilds(manifest: &Manifest) -> BTreeSet<Section> {
    let steps = manifest.steps.iter();
    let rebuilds = steps.filter(|step| !step.expects.is_empty());
    rebuilds.map(|step| step.section).collect()
}

fn fact<T>(answer: Result<T, Error>) -> Fact<T> {
    match answer {
        Ok(answer) => Fact::Known(answer),
        Err(error) => Fact::Unknown(error.to_string()),
    }
}

async fn ask(connection: &mut Connection, sql: &str, migration: &str) -> Result<Vec<Row>, Error> {
    Ok(connection.query(sql, &[migration.into()]).await?)
}

async fn record(connection: &mut Connection, migration: &str) -> Result<Record, Error> {
    let (at, to) = control::rolled_back(connection).await?;
    let kept_until = control::kept_until(connection).await?;
    let taken_back_at = control::taken_back_at(connection).await?;
    let sql = format!(
        "SELECT expanded_at IS NOT NULL, coalesce(contracted_at, 0) > 0, {at}, {to}, {kept_until}, \
         CASE WHEN {kept_until} IS NOT NULL THEN contracted_at END, {taken_back_at} FROM {{zdm}}migration WHERE migration = $1"
    );
    match ask(connection, &sql, migration).await?.first() {
        None => Ok(Record::default()),
        Some(row) => Ok(Record {
            expanded: integer(row, 0)? != 0,
            contracted: integer(row, 1)? != 0,
            rolled_back_at: optional_integer(row, 2)?,
            rolled_back_to: optional_text(row, 3)?,
            kept_until: optional_integer(row, 4)?,
            kept_since: optional_integer(row, 5)?,
            taken_back_at: optional_integer(row, 6)?,
        }),
    }
}

async fn standing(connection: &mut Connection, migration: &str) -> Result<Option<Standing>, Error> {
    let (by_instance, _) = control::by_instance(connection).await?;
    let sql = format!(
        "SELECT stage, read_basis_points, epoch, drained_epoch, entered_at, old_since, new_since, paused_at, {by_instance} \
         FROM {{zdm}}stage WHERE migration = $1"
    );
    let rows = ask(connection, &sql, migration).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let stage = table_state::stage_of(&text(row, 0)?)?;
    // A command line from before leaves a share of instances where it was when the stage is another.
    let by_instance = optional_integer(row, 8)?.filter(|_| stage == Stage::Live);
    Ok(Some(Standing {
        stage,
        share: Share::recorded(integer(row, 1)?, by_instance)?,
        epoch: integer(row, 2)?,
        drained_epoch: integer(row, 3)?,
        entered_at: integer(row, 4)?,
        old_since: optional_integer(row, 5)?,
        new_since: optional_integer(row, 6)?,
        paused_at: optional_integer(row, 7)?,
    }))
}

async fn progress(
    connection: &mut Connection,
    manifest: &Manifest,
    way: Way,
) -> Result<Progress, Error> {
    let rows = connection
        .query(
            "SELECT table_name, count(CASE WHEN state = 'done' THEN 1 END), count(*) FROM {zdm}chunk \
             WHERE migration = $1 AND direction = $2 GROUP BY table_name",
            &[manifest.id.as_str().into(), way.name().into()],
        )
        .await?;
    let mut progress = Progress {
        not_begun: way
            .tables(manifest)
            .map(|backfill| backfill.table.clone())
            .collect(),
        ..Progress::default()
    };
    for row in &rows {
        let table = text(row, 0)?;
        progress.not_begun.retain(|planned| *planned != table);
        progress.done += integer(row, 1)?;
        progress.chunks += integer(row, 2)?;
    }
    Ok(progress)
}

async fn verification(
    connection: &mut Connection,
    migration: &str,
    side: &str,
) -> Result<Option<Verification>, Error> {
    let rows = connection
        .query(
            "SELECT epoch, state, mismatches, started_at FROM {zdm}verification \
             WHERE migration = $1 AND side = $2 AND state <> 'running' ORDER BY verification DESC LIMIT 1",
            &[migration.into(), side.into()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let mismatches = integer(row, 2)?;
    Ok(Some(Verification {
        epoch: integer(row, 0)?,
        passed: text(row, 1)? == "passed" && mismatches == 0,
        mismatches,
        started_at: integer(row, 3)?,
    }))
}

async fn quarantine(connection: &mut Connection, manifest: &Manifest) -> Result<Quarantine, Error> {
    let sql = "SELECT table_name, column_name, count(CASE WHEN state = 'waiting' THEN 1 END),
                      count(CASE WHEN state = 'waived' THEN 1 END)
               FROM {zdm}quarantine WHERE migration = $1 GROUP BY table_name, column_name";
    let mut quarantine = Quarantine::default();
    for row in &ask(connection, sql, &manifest.id).await? {
        let (table, column) = (text(row, 0)?, text(row, 1)?);
        let (waiting, waived) = (integer(row, 2)?, integer(row, 3)?);
        quarantine.waiting += waiting;
        quarantine.waived += waived;
        let mut backfills = manifest.backfills.iter();
        if !backfills.any(|backfill| backfill.table == table && backfill.optional.contains(&column))
        {
            quarantine.unreadable += waiting + waived;
        }
    }
    Ok(quarantine)
}

async fn sections(
    connection: &mut Connection,
    manifest: &Manifest,
) -> Result<BTreeMap<Section, Steps>, Error> {
    let sql = "SELECT section, count(*) FILTER (WHERE done_at >= 0), count(*) FILTER (WHERE done_at = 0),
               count(*) FILTER (WHERE done_at < 0) FROM {zdm}step WHERE migration = $1 GROUP BY section";
    let rows = ask(connection, sql, &manifest.id).await?;
    let mut done = BTreeMap::new();
    for row in &rows {
        done.insert(
            text(row, 0)?,
            (integer(row, 1)?, integer(row, 2)?, integer(row, 3)?),
        );
    }
    let sql = "SELECT section, number FROM {zdm}step WHERE migration = $1 AND done_at = 0";
    let mut half_undone = Vec::new();
    for row in &ask(connection, sql, &manifest.id).await? {
        half_undone.push((text(row, 0)?, integer(row, 1)?));
    }
    let stuck = |section: Section| {
        let of_section = half_undone.iter().filter(|(of, _)| of == section.name());
        let stuck = of_section.filter(|(_, number)| !manifest.leads_forward(section, *number));
        i64::try_from(stuck.count()).unwrap_or(i64::MAX)
    };
    Ok(Section::ALL
        .into_iter()
        .map(|section| {
            let planned = manifest.steps_of(section, Direction::Up).count();
            let (done, half, begun) = done.get(section.name()).copied().unwrap_or_default();
            let steps = Steps {
                done,
                half,
                stuck: stuck(section),
                begun,
                planned: i64::try_from(planned).unwrap_or(i64::MAX),
            };
            (section, steps)
        })
        .collect())
}

async fn shadow_mismatches(connection: &mut Connection, migration: &str) -> Result<i64, Error> {
    let sql = "SELECT CAST(coalesce(sum(mismatches), 0) AS bigint) FROM {zdm}mismatch WHERE migration = $1";
    match ask(connection, sql, migration).await?.first() {
        None => Ok(0),
        Some(row) => integer(row, 0),
    }
}

async fn backup(connection: &mut Connection, migration: &str) -> Result<Option<i64>, Error> {
    let sql = "SELECT max(recorded_at) FROM {zdm}audit WHERE migration = $1 AND action = 'backup' AND outcome = 'done'";
    match ask(connection, sql, migration).await?.first() {
        None => Ok(None),
        Some(row) => optional_integer(row, 0),
    }
}
