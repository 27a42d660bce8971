//! `resume MIGRATION`: a migration that was paused or rolled back may move again.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::pause;
use crate::operate::session::{Missing, Session};
use crate::terminal::Answer;

/// Let a migration go on that was paused or rolled back
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cargo zdm resume users_full_name --reason \"incident 4711 is over\"

It moves nothing by itself: `advance` goes on, a stopped backfill at its cursors.")]
pub(crate) struct Resume {
    /// Number, folder, name or id
    migration: String,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl Resume {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        session.must_be_installed()?;
        let place = session.named(&self.migration)?;
        pause::release(&mut session, place, &self.reason).await
    }
}
