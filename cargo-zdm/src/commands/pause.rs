//! `pause MIGRATION`: nothing moves forward until `resume`.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::pause;
use crate::operate::session::{Missing, Session};
use crate::terminal::Answer;

/// Hold a migration where it stands: no move forward, no further batch, until `resume`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cargo zdm pause users_full_name --reason \"incident 4711\"

A running backfill stops before its next batch. Reads and writes stay as they are, and a rollback is not held.")]
pub(crate) struct Pause {
    /// Number, folder, name or id
    migration: String,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl Pause {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        session.must_be_installed()?;
        let place = session.named(&self.migration)?;
        pause::hold(&mut session, place, &self.reason).await
    }
}
