//! `verify [MIGRATION]`: every row's two sides are compared.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::verify;
use crate::operate::position::Position;
use crate::operate::session::{Missing, Session, nothing_to_do};
use crate::terminal::Answer;
use zdm_runtime::Stage;

/// Compare both sides of every row while every write keeps both
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm verify users_full_name
  cargo zdm verify users_full_name --repair

Exit code 1 where rows differ; their keys are printed. Interrupt it as you like: the same command goes on where it was.")]
pub(crate) struct Verify {
    /// Number, folder, name or id; default: the only one whose writes keep both sides
    migration: Option<String>,
    /// Fill the rows that differ from the side that is read, then compare all rows once more
    #[arg(long)]
    repair: bool,
}

impl Verify {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        let Some(place) = session
            .choose(self.migration.as_deref(), "verify", |position, _| {
                matches!(
                    position,
                    Position::At(
                        Stage::DualWrite | Stage::Shadow | Stage::Live | Stage::RampDown,
                        _
                    )
                )
            })
            .await?
        else {
            return nothing_to_do("verify");
        };
        verify::run(&mut session, place, self.repair).await
    }
}
