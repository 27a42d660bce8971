//! The way through the five phases under load: which command runs when, and what must have been seen before the next.
//!
//! Comes in: the fleet and the commands. Goes out: a line per phase about what it proved. Nothing waits for a time: each
//! phase is left when every process that lives has written or read in it.
//! Must not know: how commands and processes do their work.

use serde_json::Value;
use zdm_runtime::database::Connection;
use zdm_runtime::phase::Phase;

use super::command::Commands;
use super::error::DemoError;
use super::fleet::Fleet;
use super::ledger;
use super::message::{Order, Plant, Role, Version};
use super::show::Show;
use super::{oracle, seed};

/// The processes of one version: they contend, and leave a small machine room to move the migration.
const CREW: [Role; 3] = [Role::Writer, Role::Writer, Role::Reader];

/// Everything that travels.
#[derive(Debug)]
pub(super) struct Journey {
    pub(super) fleet: Fleet,
    pub(super) commands: Commands,
    pub(super) show: Show,
    pub(super) connection: Connection,
    /// The id of the one that goes through all five phases.
    pub(super) migration: String,
    pub(super) rows: i64,
    pub(super) plant: Option<Plant>,
    pub(super) kill: bool,
    pub(super) passed: Vec<Phase>,
}

impl Journey {
    /// The whole way.
    pub(super) async fn travel(&mut self) -> Result<(), DemoError> {
        self.settle().await?;
        self.expand().await?;
        self.dual_write().await?;
        self.backfill().await?;
        self.switch_reads().await?;
        self.contract().await
    }

    /// An application in production: its table, its rows, its processes.
    async fn settle(&mut self) -> Result<(), DemoError> {
        self.zdm(Version::V1, &["expand"]).await?;
        let bar = self.show.work("seed", self.rows.unsigned_abs());
        seed::seed(&mut self.connection, self.rows, |done| {
            bar.set_position(done.unsigned_abs());
        })
        .await?;
        bar.finish_and_clear();
        self.fleet.start(Version::V1, &CREW).await?;
        let crew = format!(
            "{} rows; two writers and a reader of v1, each a process of its own, contend for the same keys",
            self.rows
        );
        self.show.line("start", &crew);
        Ok(())
    }

    async fn expand(&mut self) -> Result<(), DemoError> {
        self.enter(Phase::Expand).await?;
        self.zdm(Version::V2, &["expand"]).await?;
        self.fleet.seen_by_all().await?;
        self.fleet.start(Version::V2, &CREW).await?;
        self.fleet.compare().await?;
        self.fleet.stop(Version::V1).await?;
        let proved = "new columns came under running writes; v1 and v2 served the same rows side by side until v1 left";
        self.leave(Phase::Expand, proved).await
    }

    async fn dual_write(&mut self) -> Result<(), DemoError> {
        self.enter(Phase::DualWrite).await?;
        self.switch("dual_write").await?;
        self.make_mistake().await?;
        let proved =
            "every write keeps both sides, and no write of the old one alone can come any more";
        self.leave(Phase::DualWrite, proved).await
    }

    async fn backfill(&mut self) -> Result<(), DemoError> {
        self.enter(Phase::Backfill).await?;
        self.fleet.kill_writer(Version::V2).await?;
        let killed =
            ledger::kill_backfill(&self.commands, &mut self.connection, &self.migration).await?;
        let rows = self.rows.unsigned_abs();
        let bar = self.show.work("backfill", rows);
        let filled = ledger::watched(
            self.commands.run(Version::V2, &["backfill"]),
            &mut self.connection,
            &self.migration,
            |done| bar.set_position(done.min(rows)),
        )
        .await?;
        bar.finish_and_clear();
        let verified = self.zdm(Version::V2, &["verify"]).await?;
        let proved = format!(
            "a writer was killed inside its transaction and the backfill {killed}; continued, it filled {} rows, \
             and the comparison of both sides passed for {}",
            number(&filled, "rows"),
            number(&verified, "rows"),
        );
        self.leave(Phase::Backfill, &proved).await
    }

    async fn switch_reads(&mut self) -> Result<(), DemoError> {
        self.enter(Phase::SwitchReads).await?;
        for to in ["shadow", "1%", "25%"] {
            self.switch(to).await?;
        }
        self.fleet.compare().await?;
        self.zdm(Version::V2, &["rollback"]).await?;
        self.fleet.seen_by_all().await?;
        self.fleet.compare().await?;
        for to in ["shadow", "1%", "100%"] {
            self.switch(to).await?;
        }
        let proved = "reads went to new for 1 % and 25 % of the keys, all back to old at once, and forward to 100 %";
        self.leave(Phase::SwitchReads, proved).await
    }

    async fn contract(&mut self) -> Result<(), DemoError> {
        self.enter(Phase::Contract).await?;
        self.zdm(Version::V2, &["verify"]).await?;
        let reason = "an age that is no number may go";
        self.zdm(Version::V2, &["quarantine", "waive", "--reason", reason])
            .await?;
        for to in ["ramp_down", "complete"] {
            self.switch(to).await?;
        }
        self.fleet.start(Version::V3, &CREW).await?;
        self.fleet.compare().await?;
        self.fleet.stop(Version::V2).await?;
        self.zdm(Version::V3, &["contract"]).await?;
        let proved =
            "v3, which names only new columns, took over from v2; the old columns are gone";
        self.leave(Phase::Contract, proved).await
    }

    /// Moves writes and reads, and waits until every process has gone on under the new rule.
    async fn switch(&mut self, to: &str) -> Result<(), DemoError> {
        self.zdm(Version::V2, &["switch", "--to", to]).await?;
        self.fleet.seen_by_all().await
    }

    async fn zdm(&mut self, version: Version, arguments: &[&str]) -> Result<Value, DemoError> {
        let command = format!("zdm {}", arguments.join(" "));
        self.show.now(format!(
            "{command} ({} writes up to now)",
            self.fleet.tally().writes()
        ));
        self.commands.run(version, arguments).await
    }

    async fn enter(&mut self, phase: Phase) -> Result<(), DemoError> {
        self.fleet.enter(phase).await?;
        if self.kill {
            let version = if phase == Phase::Expand {
                Version::V1
            } else {
                Version::V2
            };
            self.fleet.kill_writer(version).await?;
        }
        Ok(())
    }

    /// Compares everything, counts, and says what was proved.
    async fn leave(&mut self, phase: Phase, proved: &str) -> Result<(), DemoError> {
        self.fleet.seen_by_all().await?;
        self.fleet.compare().await?;
        // In this order: what is acknowledged meanwhile must not be looked for in an older answer.
        let acknowledged = self.fleet.tally().acknowledged();
        let written = oracle::counts(&mut self.connection).await?;
        self.fleet
            .add(|tally| tally.compare_acknowledged(&acknowledged, &written));
        self.count_differences().await?;
        self.passed.push(phase);
        let tally = self.fleet.tally();
        let count = tally.total(phase);
        let counted = format!(
            "{proved} ({} writes, {} reads; {} rows compared; {} failed, {} lost, {} stale)",
            count.writes,
            count.reads,
            tally.rows_compared(),
            tally.failed(),
            tally.lost(),
            tally.mismatches(),
        );
        self.show.line(phase.name(), &counted);
        if tally.problems().is_empty() {
            Ok(())
        } else {
            Err(DemoError::Found(phase.name()))
        }
    }

    /// Takes over what the application's own comparing reads have reported.
    pub(super) async fn count_differences(&mut self) -> Result<(), DemoError> {
        let inconsistent = ledger::inconsistent(&mut self.connection, &self.migration).await?;
        self.fleet.add(|tally| tally.differ(inconsistent));
        Ok(())
    }

    /// Has one process make the mistake that was asked for.
    async fn make_mistake(&mut self) -> Result<(), DemoError> {
        let Some(plant) = self.plant else {
            return Ok(());
        };
        let role = match plant {
            Plant::LostWrite | Plant::FailedStatement => Role::Writer,
            Plant::StaleRead => Role::Reader,
        };
        self.fleet.order_one(role, Order::Plant(plant)).await?;
        self.fleet.seen_by_all().await
    }
}

fn number(object: &Value, name: &str) -> u64 {
    object.get(name).and_then(Value::as_u64).unwrap_or_default()
}
