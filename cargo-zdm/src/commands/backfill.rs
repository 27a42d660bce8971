//! `backfill [MIGRATION]`: rows from before get their new side.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::backfill::{self, Effort};
use crate::operate::position::Position;
use crate::operate::session::{Missing, Session, nothing_to_do};
use crate::terminal::Answer;
use zdm_runtime::Stage;

/// Give rows from before their new side, in batches that can be interrupted anywhere
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm backfill
  cargo zdm backfill users_full_name --workers 4 --batch-rows 5000

Interrupt it as you like: the same command continues at its cursors.")]
pub(crate) struct Backfill {
    /// Number, folder, name or id; default: the only one at dual_write
    migration: Option<String>,
    #[command(flatten)]
    effort: Effort,
    /// Show the gates and the SQL of a batch, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Backfill {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        let Some(place) = session
            .choose(self.migration.as_deref(), "backfill", |position, _| {
                matches!(position, Position::At(Stage::DualWrite, _))
            })
            .await?
        else {
            return nothing_to_do("backfill");
        };
        if self.dry_run {
            return backfill::preview(&mut session, place).await;
        }
        backfill::run(&mut session, place, self.effort).await
    }
}
