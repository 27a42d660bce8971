//! `switch --to STAGE [MIGRATION]`: one hop of the stage, or another share of the reads.

use zdm_runtime::{By, Stage};

use crate::context::Context;
use crate::error::Failure;
use crate::operate::moves::switch;
use crate::operate::session::{Missing, Session, nothing_to_do};
use crate::operate::target::Target;
use crate::terminal::Answer;

/// Move writes and reads to a stage: dual_write, shadow, 25%, ramp_down, complete
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm switch --to dual_write
  cargo zdm switch users_full_name --to 25%
  cargo zdm switch users_full_name --to 25% --by instance

Stages go forward one at a time; the gates of each are shown by `status`. The way back is `rollback`.")]
pub(crate) struct Switch {
    /// Number, folder, name or id; default: the only one that can take this hop
    migration: Option<String>,
    /// dual_write, shadow, a share of the reads such as 25%, ramp_down or complete
    #[arg(long, value_name = "STAGE")]
    to: Target,
    /// What a share is counted by: key, or instance (some instances read new, the others old); default: the same as now, at first
    /// `ramp_by` of zdm.toml, which is key
    #[arg(long, value_name = "KIND")]
    by: Option<By>,
    /// Show the gates and the SQL, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Switch {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        self.refuse_by_without_share()?;
        let mut session = Session::open(context, Missing::Nothing).await?;
        let step = format!("switch --to {}", self.to.name());
        let Some(place) = session
            .choose(self.migration.as_deref(), &step, |position, route| {
                switch::is_next(position, route, self.to)
            })
            .await?
        else {
            return nothing_to_do("switch");
        };
        let to = switch::counted(&mut session, place, self.to, self.by).await?;
        if self.dry_run {
            return switch::preview(&mut session, place, to).await;
        }
        switch::run(&mut session, place, to).await
    }

    fn refuse_by_without_share(&self) -> Result<(), Failure> {
        if self.by.is_none() || self.to.stage == Stage::Live {
            return Ok(());
        }
        Err(Failure::usage(
            format!(
                "--by says what a share of the readers is counted by, and {} is no share",
                self.to.name()
            ),
            "leave --by out, or name a share: --to 25% --by instance",
        ))
    }
}
