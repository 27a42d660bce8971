//! `expand [MIGRATION]`: new stands beside old.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::expand;
use crate::operate::session::{Missing, Session};
use crate::terminal::Answer;

/// Put new beside old: phase 1 of one migration, or of every version that the database lacks
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm expand
  cargo zdm expand users_full_name --dry-run")]
pub(crate) struct Expand {
    /// Number, folder, name or id; default: every version that the database lacks
    migration: Option<String>,
    /// Print the SQL that would be executed
    #[arg(long)]
    dry_run: bool,
}

impl Expand {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let may_miss = if self.dry_run {
            Missing::File
        } else {
            Missing::NewFile
        };
        let mut session = Session::open(context, may_miss).await?;
        let named = self
            .migration
            .map(|argument| session.named(&argument))
            .transpose()?;
        if self.dry_run {
            return expand::preview(&mut session, named).await;
        }
        expand::run(&mut session, named).await
    }
}
