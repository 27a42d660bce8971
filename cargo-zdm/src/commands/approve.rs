//! `approve MIGRATION`: somebody other than who runs `contract` agrees to it.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::approve;
use crate::operate::session::{Missing, Session};
use crate::terminal::Answer;

/// Agree that a migration drops old, for somebody else who runs `contract`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cargo zdm approve users_full_name --note \"reviewed with the data team\"

With `approvals = 1` below [policy] in zdm.toml, `contract` drops old only after so many people have approved, beside
whoever runs it. A person is the actor's name up to `@`: the same user on another host is nobody else. The approval is
of the files as they are now, stands in the audit log, and ends when the migration is moved back.")]
pub(crate) struct Approve {
    /// Number, folder, name or id
    migration: String,
    /// What there is to say, for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

impl Approve {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        session.must_be_installed()?;
        let place = session.named(&self.migration)?;
        approve::record(&mut session, place, &self.note).await
    }
}
