//! `contract [MIGRATION]`: old goes.

use super::project::names_old;
use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::contract::{self, Window};
use crate::operate::position::Move;
use crate::operate::session::{Missing, Session, nothing_to_do};
use crate::terminal::Answer;

/// Drop old: phase 5, when no instance and no transaction can name it any more
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm contract users_full_name --dry-run
  cargo zdm contract

What old alone held cannot come back: the dry run shows what that is. Where old is kept for a time (`keep`), the same command drops it
when the time is over; `contract users_full_name --now` ends the time. Approvals for that are those from after contract.")]
pub(crate) struct Contract {
    /// Number, folder, name or id; default: the only one that is due
    migration: Option<String>,
    /// Show the gates and the SQL, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Drop what an earlier contract keeps, though its time is not over: nothing brings it back then
    #[arg(long)]
    now: bool,
}

impl Contract {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        session.names_old = names_old(context, &session)?;
        let (window, due) = if self.now {
            (Window::Ends, Move::DropKept)
        } else {
            (Window::Lasts, Move::Contract)
        };
        let Some(place) = session
            .choose(self.migration.as_deref(), "contract", |position, route| {
                position.next(route) == Some(due)
            })
            .await?
        else {
            return nothing_to_do("contract");
        };
        if self.dry_run {
            return contract::preview(&mut session, place, window).await;
        }
        contract::run(&mut session, place, window).await
    }
}
