//! `rollback [MIGRATION]`: the right way back from where the migration stands.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::rollback;
use crate::operate::rest::Rest;
use crate::operate::session::{Missing, Session, nothing_to_do};
use crate::terminal::Answer;

/// Take the right way back from where the migration stands, or say why there is none
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm rollback --dry-run
  cargo zdm rollback users_full_name
  cargo zdm rollback users_full_name --to off     that far, whatever lies between; may be repeated
  cargo zdm rollback init --drop-rows             the tables and columns that it added go, with what is in them

From shadow, live and ramp_down all reads go to old at once (dual_write). Without --to it takes one step. Where a rollback
has come to its end, the next one needs --to: a killed one that had done everything must not go further by being repeated.
`advance` leaves a migration where a rollback has put it, until `cargo zdm resume` or a step forward by hand.")]
pub(crate) struct Rollback {
    /// Number, folder, name or id; default: the only one in transition
    migration: Option<String>,
    /// Where to go back to, over several steps if need be; nothing to do where it is there already
    #[arg(long, value_enum, value_name = "STAGE")]
    to: Option<Rest>,
    /// Drop a table that the migration has created even if it holds rows, and a column that it has added even if it holds
    /// values of its own, which nothing but a backup brings back
    #[arg(long)]
    drop_rows: bool,
    /// Say what would be done, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Rollback {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        let Some(place) = session
            .choose(self.migration.as_deref(), "rollback", |position, _| {
                position.in_transition()
            })
            .await?
        else {
            return nothing_to_do("rollback");
        };
        if self.dry_run {
            return rollback::preview(&mut session, place, self.to).await;
        }
        rollback::run(&mut session, place, self.to, self.drop_rows).await
    }
}
