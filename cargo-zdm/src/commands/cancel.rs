//! `cancel MIGRATION`: its backfill ends for good.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::pause;
use crate::operate::session::{Missing, Session};
use crate::terminal::Answer;

/// End a backfill for good: its cursors are forgotten, and the migration is held until `resume` or `rollback`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cargo zdm cancel users_full_name --reason \"incident 4711\"

Workers stop before their next batch, on every machine. Rows that were filled stay filled, reads and writes stay as they are.
To go on later where it stopped, `cargo zdm pause` it instead.")]
pub(crate) struct Cancel {
    /// Number, folder, name or id
    migration: String,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl Cancel {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        session.must_be_installed()?;
        let place = session.named(&self.migration)?;
        pause::cancel(&mut session, place, &self.reason).await
    }
}
