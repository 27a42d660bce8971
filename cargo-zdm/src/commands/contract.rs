//! `contract [MIGRATION]`: old goes.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::contract;
use crate::operate::position::Move;
use crate::operate::session::{Missing, Session, nothing_to_do};
use crate::terminal::Answer;

/// Drop old: phase 5, when no instance and no transaction can name it any more
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm contract users_full_name --dry-run
  cargo zdm contract

What old alone held cannot come back: the dry run shows what that is.")]
pub(crate) struct Contract {
    /// Number, folder, name or id; default: the only one that is due
    migration: Option<String>,
    /// Show the gates and the SQL, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Contract {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        let Some(place) = session
            .choose(self.migration.as_deref(), "contract", |position, route| {
                position.next(route) == Some(Move::Contract)
            })
            .await?
        else {
            return nothing_to_do("contract");
        };
        if self.dry_run {
            return contract::preview(&mut session, place).await;
        }
        contract::run(&mut session, place).await
    }
}
