//! `advance`: the next safe steps of every migration, up to the first shut gate.

use super::project::names_old;
use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::advance;
use crate::operate::report::status;
use crate::operate::session::{Missing, Session};
use crate::terminal::Answer;

/// Take every migration as far as gates and policy allow
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm advance --before-deploy     before a rollout: expand
  cargo zdm advance                     after it, and as often as you like
  cargo zdm advance --watch             until everything is done

Exit code 4 while something is left: the shut gate is printed with what opens it. What fails for one migration stops no other:
each is reported, and the exit code is the worst, 3 before 4 before 0.")]
pub(crate) struct Advance {
    /// Only what must happen before new code is rolled out: expand
    #[arg(long)]
    before_deploy: bool,
    /// Go on until everything is done, or something fails
    #[arg(long, conflicts_with = "before_deploy")]
    watch: bool,
    /// Show each migration's next step with its gates, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Advance {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let may_miss = if self.dry_run {
            Missing::File
        } else {
            Missing::NewFile
        };
        let mut session = Session::open(context, may_miss).await?;
        if self.dry_run {
            return status::answer(&mut session, None).await;
        }
        session.names_old = names_old(context, &session)?;
        advance::run(&mut session, self.before_deploy, self.watch).await
    }
}
